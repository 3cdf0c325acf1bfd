// SPDX-License-Identifier: MIT
// Promise: a filter that kills need not allow the library's thread more than docs/limits.md lists.
//   That thread looks four times a second whether the main thread has ended.
// Env: BUFPOOL_RETAIN_MAX=32M
// Exit: 0
#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

// The thread is started under the filter, and inherits it.
int main() {
  promise::answer_calls({SYS_pread64, SYS_get_robust_list}, SECCOMP_RET_KILL_PROCESS);
  const auto is_there = [] {
    promise::Burst(64 * promise::kMiB, promise::kMiB);
    return promise::trimmer_thread() != 0;
  };
  promise::keep(promise::comes_true(is_there), "the library's thread starts");
  promise::sleep_ms(1000);
}
