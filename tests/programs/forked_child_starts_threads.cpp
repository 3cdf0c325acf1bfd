// SPDX-License-Identifier: MIT
// Promise: a forked child may start threads of its own that allocate, free what it inherited, and
//   leave by exit.
#include "tests/programs/workers.h"

namespace {

void be_child(void* held) {
  alarm(promise::kHungSeconds);
  {
    promise::Workers workers(3);
    std::thread([held] { promise::put(held); }).join();
    for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 20);
  }
  exit(0);
}

}  // namespace

int main() {
  promise::Workers workers(2);
  for (int i = 0; i < 30; ++i) {
    void* held = promise::get<void>(70000);
    const pid_t child = fork();
    if (child == 0) be_child(held);
    promise::expect_good_end(child);
    promise::put(held);
  }
}
