// SPDX-License-Identifier: MIT
// Promise: if every process is to report, a forked child does so without a pool, too. It counts its
//   own requests only.
// Env: BUFPOOL_DISABLE=1 BUFPOOL_REPORT=stderr BUFPOOL_REPORT_MIN=0
// Stderr: (?s)0 above.*; 7 in the range.*passed to mimalloc.*; 5 in the range
#include <sys/wait.h>

#include "tests/programs/promise.h"

int main() {
  promise::use(70000, 5);
  const pid_t child = fork();
  if (child == 0) {
    promise::use(70000, 7);
    return 0;
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child && status == 0, "the child ends well");
}
