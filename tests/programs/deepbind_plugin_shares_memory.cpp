// SPDX-License-Identifier: MIT
// Promise: a plug-in that is opened with RTLD_DEEPBIND may free what the program, or libc,
//   allocated. The program may free what the plug-in allocated. It is told if BUFPOOL_VERBOSE is
//   set, but not in a file of the program's that took the number of stderr.
// Run: silent
// Args: {dir}/plugin.so
// Run: verbose
// Args: {dir}/plugin.so
// Env: BUFPOOL_VERBOSE=1
// Stderr: (?s)bufpool: dlopen of \S+plugin.so without RTLD_DEEPBIND
// Run: verbose_beside_a_file
// Args: {dir}/plugin.so data.txt
// Env: BUFPOOL_VERBOSE=1
// Stderr: BUFPOOL_VERBOSE=1
// File: data\.txt \A\Z
#include <dlfcn.h>
#include <fcntl.h>

#include "tests/programs/promise.h"

int main(int count, char** arguments) {
  if (count > 2) {
    close(STDERR_FILENO);
    promise::keep(open(arguments[2], O_CREAT | O_WRONLY, 0644) == STDERR_FILENO, "a file opens");
  }
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
