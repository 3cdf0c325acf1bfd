// SPDX-License-Identifier: MIT
// Promise: vfork and exec beside allocating threads leave the parent's pools whole.
#include "tests/programs/workers.h"

namespace {

pid_t start_true() {
  const pid_t child = vfork();
  if (child == 0) {
    execl("/bin/true", "true", nullptr);
    _exit(1);
  }
  return child;
}

}  // namespace

int main() {
  promise::Workers workers(3);
  void* held = promise::get<void>(70000);
  promise::fill(held, 70000, 1);
  for (int i = 0; i < 60; ++i) {
    promise::expect_good_end(start_true());
    for (const std::size_t bytes : promise::kSizes) promise::use(bytes);
  }
  promise::keep(promise::holds(held, 70000, 1), "memory is whole");
  promise::put(held);
}
