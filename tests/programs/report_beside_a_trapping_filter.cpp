// SPDX-License-Identifier: MIT
// Promise: a program keeps its exit status if it ends in a signal handler on its alternate stack,
//   and its filter traps calls of the report on that stack as well.
// Env: BUFPOOL_REPORT=stderr
// Exit: 7
// Stderr: (?s).*
#include <ucontext.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "tests/programs/seccomp.h"

namespace {

constexpr std::size_t kLocals = 4096;
std::array<char, 64 << 10> stack;

// It overwrites what stands on the stack where the kernel put this handler.
void refuse(int, siginfo_t*, void* context) {
  volatile char locals[kLocals];
  for (volatile char& local : locals) local = 0x41;
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RAX] = -EPERM;
}

void end(int) { _exit(7); }

}  // namespace

int main() {
  stack_t alternate{};
  alternate.ss_sp = stack.data();
  alternate.ss_size = stack.size();
  promise::keep(sigaltstack(&alternate, nullptr) == 0, "there is a stack");
  struct sigaction trap {};
  trap.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  trap.sa_sigaction = refuse;
  struct sigaction ending {};
  ending.sa_flags = SA_ONSTACK;
  ending.sa_handler = end;
  promise::keep(sigaction(SIGSYS, &trap, nullptr) == 0, "traps are handled");
  promise::keep(sigaction(SIGUSR1, &ending, nullptr) == 0, "the end is handled");
  for (int i = 0; i < 1000; ++i) promise::use(20'000);
  promise::answer_calls({SYS_openat, SYS_newfstatat}, SECCOMP_RET_TRAP);
  raise(SIGUSR1);
}
