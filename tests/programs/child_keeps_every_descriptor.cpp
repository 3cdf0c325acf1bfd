// SPDX-License-Identifier: MIT
// Promise: a forked child has each descriptor that its parent had, whatever its number. This also
//   holds for numbers that the program took after it had closed all descriptors.
// Run: usual
// Env: -BUFPOOL_REPORT
// Limit: nofile=1024
// Stderr-not: not kept
// Run: few
// Env: -BUFPOOL_REPORT
// Limit: nofile=64
// Stderr-not: not kept
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/programs/promise.h"

int main() {
  promise::use(4096, 150);
  close_range(3, ~0U, 0);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const int most = static_cast<int>(limit.rlim_cur);
  const int null = open("/dev/null", O_RDWR);
  for (int number = 3; number < most; ++number) {
    promise::keep(dup2(null, number) == number, "the number is to be had");
  }
  const pid_t child = fork();
  if (child == 0) {
    for (int number = 3; number < most; ++number) {
      if (fcntl(number, F_GETFD) == -1) _exit(1);
    }
    _exit(0);
  }
  int status = 1;
  waitpid(child, &status, 0);
  promise::keep(status == 0, "the child has them all");
}
