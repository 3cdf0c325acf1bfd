// SPDX-License-Identifier: MIT
// Promise: if BUFPOOL_TRIMMER says whether there is to be a thread, all that needs a file, a thread
//   or a setting of the process is done at start. A program that then forbids itself those on pain
//   of death goes on, whatever memory it uses.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=1s
// Run: on BUFPOOL_TRIMMER=on
// Run: off BUFPOOL_TRIMMER=off
#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

int main() {
  promise::use(100);  // which makes mimalloc look about
  promise::answer_calls({SYS_open, SYS_openat, SYS_clone, SYS_clone3, SYS_prctl, SYS_close_range,
                         SYS_rt_sigprocmask, SYS_prlimit64, SYS_poll, SYS_sched_getaffinity},
                        SECCOMP_RET_KILL_PROCESS);
  for (const std::size_t bytes : {70'000, 300'000, 5'000, 1'000'000}) {
    for (int i = 0; i < 3; ++i) promise::Burst burst(60 * promise::kMiB, bytes);
  }
}
