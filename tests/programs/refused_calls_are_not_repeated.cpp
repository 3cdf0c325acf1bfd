// SPDX-License-Identifier: MIT
// Promise: each thread makes a system call that a filter refuses once more at most, and not on
//   every occasion, because filters stay.
// Needs: library
// Env: BUFPOOL_TRIMMER=off
#include <malloc.h>
#include <signal.h>
#include <ucontext.h>

#include <atomic>
#include <cstdint>

#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

#ifdef __x86_64__
namespace {

std::uintptr_t pool_address = 0;
std::atomic<int> asked_to_purge{0};
std::atomic<int> asked_to_commit{0};
std::atomic<int> asked_to_restart{0};

// Answers EPERM, as a filter could itself, but counts. Calls of mimalloc for its own memory do not
// matter.
void refuse(int, siginfo_t* info, void* context) {
  greg_t* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const auto address = static_cast<std::uintptr_t>(registers[REG_RDI]);
  const bool ours = address - pool_address + (std::uintptr_t{1} << 42) < std::uintptr_t{1} << 43;
  if (info->si_syscall == SYS_madvise && ours) ++asked_to_purge;
  if (info->si_syscall == SYS_mprotect && ours) ++asked_to_commit;
  if (info->si_syscall == SYS_membarrier) ++asked_to_restart;
  registers[REG_RAX] = -EPERM;
}

void work() {
  for (int i = 0; i < 20; ++i) {
    { promise::Burst burst(10 * promise::kMiB, 70'000); }
    malloc_trim(0);
    promise::put(promise::get<void>(200'000 + 3'000 * i));
    promise::put(calloc(1, promise::hide<std::size_t>(5'000'000)));
  }
}

}  // namespace

int main() {
  pool_address = reinterpret_cast<std::uintptr_t>(promise::get<void>(70'000));
  work();
  struct sigaction action = {};
  action.sa_sigaction = refuse;
  action.sa_flags = SA_SIGINFO;
  promise::keep(sigaction(SIGSYS, &action, nullptr) == 0, "refusals are counted");
  promise::answer_calls({SYS_madvise, SYS_mprotect, SYS_membarrier}, SECCOMP_RET_TRAP);
  work();
  { promise::Burst burst(100 * promise::kMiB, 400'000); }
  work();
  promise::keep(asked_to_purge == 1, "to give pages back");
  promise::keep(asked_to_commit == 0, "nor are protections changed");
  promise::keep(asked_to_restart <= 1, "to restart sequences");
}
#else
int main() { promise::skip("registers of another processor"); }
#endif
