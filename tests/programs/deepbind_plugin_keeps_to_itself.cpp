// SPDX-License-Identifier: MIT
// Promise: a plug-in opened with RTLD_DEEPBIND, which binds it to libc's allocator, works as long
//   as it frees what it gets, beside a program that goes on allocating.
// Args: {dir}/plugin.so
#include <dlfcn.h>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  void* plugin = dlopen(arguments[1], RTLD_NOW | RTLD_DEEPBIND);
  promise::keep(plugin != nullptr, "the plug-in is loaded");
  auto* get = reinterpret_cast<void* (*)(std::size_t)>(dlsym(plugin, "plugin_get"));
  auto* put = reinterpret_cast<void (*)(void*)>(dlsym(plugin, "plugin_put"));
  for (int round = 0; round < 50; ++round) {
    for (const std::size_t bytes : promise::kSizes) {
      void* ours = promise::get<void>(bytes);
      void* theirs = get(bytes);
      promise::fill(theirs, bytes, 1);
      promise::fill(ours, bytes, 2);
      promise::keep(promise::holds(theirs, bytes, 1), "its memory is its own");
      put(theirs);
      promise::keep(promise::holds(ours, bytes, 2), "and ours is ours");
      promise::put(ours);
    }
  }
}
