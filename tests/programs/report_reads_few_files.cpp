// SPDX-License-Identifier: MIT
// Promise: a program that used little has its report at the price of a few files. It does not read
//   the memory limits of the system, which are in a dozen more.
// Needs: library
// Stderr: budget of
#include <malloc.h>
#include <signal.h>
#include <ucontext.h>

#include <atomic>

#include "tests/programs/seccomp.h"

#ifdef __x86_64__
namespace {

std::atomic<int> opened{0};

// Answers EACCES, as a filter could itself, but counts.
void refuse(int, siginfo_t*, void* context) {
  ++opened;
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RAX] = -EACCES;
}

}  // namespace

int main() {
  promise::use(70'000, 5);
  struct sigaction action = {};
  action.sa_sigaction = refuse;
  action.sa_flags = SA_SIGINFO;
  promise::keep(sigaction(SIGSYS, &action, nullptr) == 0, "what is opened is counted");
  promise::answer_calls({SYS_open, SYS_openat}, SECCOMP_RET_TRAP);
  malloc_stats();
  promise::keep(opened <= 4, "few files are read");
}
#else
int main() { promise::skip("registers of another processor"); }
#endif
