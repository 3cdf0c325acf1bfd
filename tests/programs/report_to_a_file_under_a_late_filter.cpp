// SPDX-License-Identifier: MIT
// Promise: a program whose stderr is a file sets a filter by raw system calls, which the library
//   does not see. The filter kills for statx. The program ends well, and its report is written.
// Needs: library
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_MIN=1
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/programs/again.h"

namespace {

constexpr int kNoFilter = 3;

int run_with_log() {
  for (int i = 0; i < 100; ++i) promise::put(promise::get(5000));
  std::array<sock_filter, 4> filter{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_statx, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{filter.size(), filter.data()};
  if (syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
    return kNoFilter;
  }
  return 0;
}

}  // namespace

int main(int count, char**) {
  if (count > 1) return run_with_log();
  const int status = promise::status_with_log();
  if (status == kNoFilter) _exit(promise::kSkipped);
  struct stat log = {};
  promise::keep(stat("log", &log) == 0 && log.st_size > 0, "the report is there");
  _exit(0);
}
