// SPDX-License-Identifier: MIT
// Promise: in a program of one thread a signal handler may fork, whatever it interrupts, also a
//   fork. It makes no difference that the library has a thread of its own.
// Env: BUFPOOL_TRIMMER=on
// Needs: library
#include <sys/time.h>
#include <sys/wait.h>

#include <csignal>

#include "tests/programs/promise.h"

namespace {

constexpr int kWanted = 20;
volatile bool forking;
volatile int interrupted;

void expect_good_end(pid_t child) {
  int status = 0;
  promise::keep(child > 0 && waitpid(child, &status, 0) == child && status == 0,
                "a child ends well");
}

void fork_here(int) {
  const int error = errno;
  const bool within = forking;
  const pid_t child = fork();
  if (child == 0) {
    promise::use(5000, 3);
    _exit(0);
  }
  expect_good_end(child);
  if (within) interrupted = interrupted + 1;
  errno = error;
}

void signal_after(int microseconds) {
  const itimerval once{{0, 0}, {0, microseconds}};
  setitimer(ITIMER_REAL, &once, nullptr);
}

}  // namespace

int main() {
  promise::use(70000, 10);
  signal(SIGALRM, fork_here);
  for (int i = 0; i < 2000 && interrupted < kWanted; ++i) {
    signal_after(1 + i * 7 % 400);
    forking = true;
    const pid_t child = fork();
    forking = false;
    if (child == 0) {
      promise::use(5000, 3);
      _exit(0);
    }
    expect_good_end(child);
    promise::use(5000, 10);
  }
}
