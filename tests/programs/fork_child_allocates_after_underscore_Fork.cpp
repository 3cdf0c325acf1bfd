// SPDX-License-Identifier: MIT
// Promise: a child made by _Fork, which runs no fork handlers, may allocate if no thread was
//   allocating. The parent goes on.
#include <barrier>

#include "tests/programs/workers.h"

int main() {
  std::barrier quiet(3);
  std::barrier leave(3);
  const auto work = [&] {
    for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 50);
    quiet.arrive_and_wait();
    leave.arrive_and_wait();
  };
  std::thread first(work);
  std::thread second(work);
  quiet.arrive_and_wait();
  for (int i = 0; i < 50; ++i) {
    const pid_t child = _Fork();
    if (child == 0) promise::allocate_and_exit();
    promise::expect_good_end(child);
    for (const std::size_t bytes : promise::kSizes) promise::use(bytes);
  }
  leave.arrive_and_wait();
  first.join();
  second.join();
}
