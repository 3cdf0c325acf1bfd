// SPDX-License-Identifier: MIT
// Promise: a plug-in that is left bound to libc's allocator by RTLD_DEEPBIND works as long as it
//   frees what it gets, beside a program that goes on allocating.
// Args: {dir}/plugin.so
// Env: BUFPOOL_DEEPBIND=1
#include <dlfcn.h>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  void* plugin = dlopen(arguments[1], RTLD_NOW | RTLD_DEEPBIND);
  promise::keep(plugin != nullptr, "the plug-in is loaded");
  auto* get = reinterpret_cast<void* (*)(std::size_t)>(dlsym(plugin, "plugin_get"));
  auto* put = reinterpret_cast<void (*)(void*)>(dlsym(plugin, "plugin_put"));
  void* const libc_free = dlsym(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD), "free");
  auto* bound = reinterpret_cast<void* (*)()>(dlsym(plugin, "plugin_free"));
  promise::keep(bound() == libc_free, "it is bound to libc's");
  for (int round = 0; round < 20; ++round) {
    for (const std::size_t bytes : promise::sizes_in(round)) {
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
