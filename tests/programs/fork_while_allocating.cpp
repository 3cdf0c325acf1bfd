// SPDX-License-Identifier: MIT
// Promise: a child that is forked while all threads of its parent are allocating may allocate at
//   once, and so may its own child. What the parent held is whole in it.
#include "tests/programs/workers.h"

int main() {
  promise::Workers workers(3);
  void* held = promise::get<void>(70000);
  promise::fill(held, 70000, 1);
  for (int i = 0; i < 100; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(promise::kHungSeconds);
      promise::keep(promise::holds(held, 70000, 1), "the parent's buffer is whole");
      promise::put(held);
      if (i % 10 != 0) promise::allocate_and_exit();
      const pid_t grandchild = fork();
      if (grandchild == 0) promise::allocate_and_exit();
      promise::expect_good_end(grandchild);
      promise::allocate_and_exit();
    }
    promise::expect_good_end(child);
  }
  promise::put(held);
}
