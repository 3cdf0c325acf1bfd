// SPDX-License-Identifier: MIT
// Promise: the program may free a plug-in's memory and the plug-in the program's. The plug-in may
//   be unloaded and loaded again.
// Args: {dir}/plugin.so
#include <dlfcn.h>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  for (int round = 0; round < 20; ++round) {
    void* plugin = dlopen(arguments[1], RTLD_NOW);
    promise::keep(plugin != nullptr, "the plug-in is loaded");
    auto* get = reinterpret_cast<void* (*)(std::size_t)>(dlsym(plugin, "plugin_get"));
    auto* put = reinterpret_cast<void (*)(void*)>(dlsym(plugin, "plugin_put"));
    auto* work = reinterpret_cast<std::size_t (*)()>(dlsym(plugin, "plugin_work"));
    promise::keep(work() == 140000, "the plug-in works");
    for (const std::size_t bytes : promise::sizes_in(round)) {
      void* theirs = get(bytes);
      promise::fill(theirs, bytes, 1);
      put(promise::get<void>(bytes));
      promise::keep(promise::holds(theirs, bytes, 1), "its memory holds");
      promise::put(theirs);
    }
    promise::keep(dlclose(plugin) == 0, "it is unloaded");
  }
}
