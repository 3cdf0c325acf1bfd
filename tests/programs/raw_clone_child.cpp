// SPDX-License-Identifier: MIT
// Promise: a child that the bare clone system call makes may allocate and leave by exit. Its
//   parent's memory and its own do not mix.
#include <sys/syscall.h>

#include "tests/programs/workers.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 10);
  void* held = promise::get<void>(70000);
  promise::fill(held, 70000, 1);
  for (int i = 0; i < 50; ++i) {
    const auto child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    if (child == 0) {
      promise::keep(promise::holds(held, 70000, 1), "inherited memory is whole");
      memset(held, 7, 70000);
      promise::put(held);
      for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 3);
      exit(0);
    }
    promise::expect_good_end(child);
    promise::use(70000, 3);
    promise::keep(promise::holds(held, 70000, 1), "the parent's memory is whole");
  }
  promise::put(held);
}
