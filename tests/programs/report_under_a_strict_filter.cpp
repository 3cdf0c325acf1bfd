// SPDX-License-Identifier: MIT
// Promise: a program that locks itself in as OpenSSH's unauthenticated child does ends as it would
//   without the library, and its report is told. Its filter allows a few calls, no opening and no
//   looking at files, and kills for anything else.
// Env: BUFPOOL_REPORT=stderr
// Stderr: (?s)^told at the end$.*bufpool\[\d+ \S+: .*\ball\b.*resident unknown
#include <cerrno>

#include "tests/programs/seccomp.h"

namespace {

void work() {
  for (int round = 0; round < 100; ++round) {
    for (const std::size_t bytes : {100, 600, 5000, 70000}) promise::use(bytes, 2);
  }
}

}  // namespace

int main() {
  work();
  promise::answer_calls(
      {{{SYS_brk,   SYS_clock_gettime,  SYS_close,     SYS_exit,         SYS_exit_group,
         SYS_futex, SYS_getpid,         SYS_getrandom, SYS_gettimeofday, SYS_madvise,
         SYS_mmap,  SYS_mprotect,       SYS_mremap,    SYS_munmap,       SYS_poll,
         SYS_read,  SYS_rt_sigprocmask, SYS_select,    SYS_write,        SYS_writev},
        SECCOMP_RET_ALLOW},
       {{SYS_open, SYS_openat, SYS_fstat, SYS_newfstatat, SYS_stat}, SECCOMP_RET_ERRNO | EACCES}},
      SECCOMP_RET_KILL_PROCESS);
  work();
  promise::keep(write(STDERR_FILENO, "told at the end\n", 16) == 16, "stderr is there");
}
