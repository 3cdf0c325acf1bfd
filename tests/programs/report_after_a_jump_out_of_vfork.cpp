// SPDX-License-Identifier: MIT
// Promise: a process has its report, and its buffers from the pool, after a signal handler left
//   vfork by siglongjmp while the child was gone already.
// Reports: 1
// Class: 200000 gets=150
#include <setjmp.h>
#include <sys/wait.h>

#include <csignal>

#include "tests/programs/promise.h"

namespace {

sigjmp_buf place;

void leave(int) { siglongjmp(place, 1); }

}  // namespace

int main() {
  std::signal(SIGUSR1, leave);
  promise::use(200000, 50);
  const pid_t self = getpid();
  if (sigsetjmp(place, 1) == 0) {
    if (vfork() == 0) {
      kill(self, SIGUSR1);
      _exit(0);
    }
    promise::keep(false, "the signal comes before vfork returns");
  }
  while (wait(nullptr) > 0) {
  }
  promise::use(200000, 100);
}
