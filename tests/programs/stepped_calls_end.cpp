// SPDX-License-Identifier: MIT
// Promise: malloc and free end under a debugger that steps through them, where every instruction
//   interrupts a restartable sequence, whether the cache has buffers, has none or is full.
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <csignal>

#include "tests/programs/promise.h"

namespace {

constexpr std::size_t kBytes = 3000;
constexpr int kPairs = 4;
constexpr int kMostSteps = 60'000;

// The debugger steps through all between two stops.
void get_and_put() {
  std::array<void*, kPairs> held{};
  raise(SIGSTOP);
  for (void*& memory : held) memory = promise::get<void>(kBytes);
  for (void* memory : held) promise::put(memory);
  promise::use(kBytes, kPairs);
  raise(SIGSTOP);
}

[[noreturn]] void be_stepped() {
  if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(promise::kSkipped);
  promise::use(kBytes, 10);
  get_and_put();
  _exit(0);
}

int wait_for_stop(pid_t child) {
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child, "the child can be waited for");
  if (WIFEXITED(status) && WEXITSTATUS(status) == promise::kSkipped) promise::skip("no ptrace");
  promise::keep(WIFSTOPPED(status), "it is stopped");
  return WSTOPSIG(status);
}

}  // namespace

int main() {
  const pid_t child = fork();
  if (child == 0) be_stepped();
  promise::keep(wait_for_stop(child) == SIGSTOP, "it gets to where it is stepped");
  int steps = 0;
  do {
    promise::keep(++steps < kMostSteps, "its calls end");
    promise::keep(ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) == 0, "it can be stepped");
  } while (wait_for_stop(child) == SIGTRAP);
  promise::keep(steps > 100 * kPairs, "they were stepped through");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}
