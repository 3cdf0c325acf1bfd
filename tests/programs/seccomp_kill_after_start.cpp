// SPDX-License-Identifier: MIT
// Promise: a program goes on with buffers of the sizes that it used before, even if after its start
//   it forbids itself all but the commonest system calls, on pain of death.
#include "tests/programs/seccomp.h"

namespace {

constexpr std::array<std::size_t, 5> kUsed = {1000, 5000, 20000, 70000, 300000};

void work() {
  std::array<void*, 8> held{};
  for (const std::size_t bytes : kUsed) {
    for (void*& memory : held) {
      memory = promise::get<void>(bytes);
      promise::fill(memory, 1000, 1);
    }
    for (void* memory : held) promise::put(memory);
    promise::put(calloc(1, promise::hide(bytes)));
  }
}

}  // namespace

int main() {
  for (int i = 0; i < 100; ++i) work();
  promise::answer_calls({SYS_madvise, SYS_process_madvise, SYS_membarrier, SYS_rseq, SYS_getcpu,
                         SYS_sched_getaffinity, SYS_sched_setaffinity, SYS_gettid, SYS_clone,
                         SYS_clone3, SYS_openat, SYS_open, SYS_memfd_create, SYS_prlimit64,
                         SYS_sysinfo, SYS_mbind, SYS_prctl, SYS_rt_sigprocmask},
                        SECCOMP_RET_KILL_PROCESS);
  for (int i = 0; i < 2000; ++i) work();
}
