// SPDX-License-Identifier: MIT
// Promise: a library finds its plug-ins by its own RUNPATH, with RTLD_DEEPBIND too. dlerror tells
//   as ever of a file that is not there.
// Args: {dir}/opener.so
#include <dlfcn.h>

#include <string_view>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  promise::keep(dlopen("plugin.so", RTLD_NOW) == nullptr, "the program itself does not find it");
  promise::keep(std::string_view(dlerror()).starts_with("plugin.so: "), "and is told so");
  void* opener = dlopen(arguments[1], RTLD_NOW);
  promise::keep(opener != nullptr, "the library is loaded");
  auto* open_plugin = reinterpret_cast<void* (*)(int)>(dlsym(opener, "open_plugin"));
  for (const int mode : {RTLD_NOW, RTLD_NOW | RTLD_DEEPBIND}) {
    void* plugin = open_plugin(mode);
    promise::keep(plugin != nullptr, "it finds what lies beside it");
    promise::keep(dlclose(plugin) == 0, "and lets go of it");
  }
  promise::keep(dlopen(nullptr, RTLD_NOW | RTLD_DEEPBIND) != nullptr, "the program is a plug-in");
}
