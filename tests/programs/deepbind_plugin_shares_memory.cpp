// SPDX-License-Identifier: MIT
// Promise: a plug-in that is opened with RTLD_DEEPBIND may free what the program, or libc,
//   allocated. The program may free what the plug-in allocated. It is told if BUFPOOL_VERBOSE is
//   set.
// Run: silent
// Args: {dir}/plugin.so
// Run: verbose
// Args: {dir}/plugin.so
// Env: BUFPOOL_VERBOSE=1
// Stderr: (?s)bufpool: dlopen of \S+plugin.so without RTLD_DEEPBIND
#include <dlfcn.h>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  void* plugin = dlopen(arguments[1], RTLD_NOW | RTLD_DEEPBIND);
  promise::keep(plugin != nullptr, "the plug-in is loaded");
  auto* get = reinterpret_cast<void* (*)(std::size_t)>(dlsym(plugin, "plugin_get"));
  auto* put = reinterpret_cast<void (*)(void*)>(dlsym(plugin, "plugin_put"));
  for (const std::size_t bytes : promise::kSizes) {
    put(promise::get<void>(bytes));
    promise::put(get(bytes));
  }
  put(strdup("what libc allocates is ours, too"));
}
