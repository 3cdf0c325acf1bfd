// SPDX-License-Identifier: MIT
// Promise: a child with nothing to report ends without a system call of the library's. So a child
//   that may make no call but its end is not killed for another.
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_MIN=1000
#include <sys/wait.h>

#include "tests/programs/seccomp.h"

int main() {
  for (int round = 0; round < 50; ++round) promise::use(5000, 2);
  const pid_t child = fork();
  if (child == 0) {
    promise::answer_calls({{{SYS_exit_group}, SECCOMP_RET_ALLOW}}, SECCOMP_RET_KILL_PROCESS);
    _exit(3);
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child, "the child ends");
  promise::keep(WIFEXITED(status), "by itself");
  if (WEXITSTATUS(status) == promise::kSkipped) promise::skip("system calls cannot be filtered");
  promise::keep(WEXITSTATUS(status) == 3, "with its own status");
}
