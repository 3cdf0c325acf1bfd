// SPDX-License-Identifier: MIT
// Promise: several threads may fork at once while others allocate. Each child and its own child may
//   allocate at once. When all is over no lock is left shut, and buffers come from the pool again.
// Env: BUFPOOL_REPORT={tmp}/%p
// Reports: 1
// Class: 6000 in_use=0 fallbacks=0
#include <sys/syscall.h>

#include "tests/programs/workers.h"

namespace {

constexpr int kForkers = 3;
constexpr int kForks = 25;

// Ends without a report.
[[noreturn]] void allocate_and_leave() {
  alarm(promise::kHungSeconds);
  for (const std::size_t bytes : {100, 700, 5000, 20000, 70000, 1 << 20}) promise::use(bytes, 20);
  for (;;) syscall(SYS_exit_group, 0);
}

void fork_often() {
  for (int i = 0; i < kForks; ++i) {
    const pid_t child = fork();
    if (child == 0 && i % 5 == 0) {
      const pid_t grandchild = fork();
      if (grandchild != 0) promise::expect_good_end(grandchild);
    }
    if (child == 0) allocate_and_leave();
    promise::expect_good_end(child);
  }
}

}  // namespace

int main() {
  {
    promise::Workers workers(2);
    std::array<std::thread, kForkers> forkers;
    for (std::thread& forker : forkers) forker = std::thread(fork_often);
    for (std::thread& forker : forkers) forker.join();
  }
  // They are more than caches hold, and go back. If a lock is left shut, mimalloc serves.
  static std::array<void*, 500> held;
  for (void*& memory : held) memory = promise::get<void>(6000);
  for (void* memory : held) promise::put(memory);
}
