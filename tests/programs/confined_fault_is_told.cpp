// SPDX-License-Identifier: MIT
// Promise: a double free is told in a program that may make hardly any system call. It aborts the
//   program if the calls that an abort takes are allowed.
// Stderr: ^bufpool: double free of 0x[0-9a-f]+: this buffer is free already \(class 65536\)$
// Run: abort
// Args: abort
// Exit: signal 6
// Run: nothing
// Args: nothing
// Exit: signal 31
#include <string_view>

#include "tests/programs/seccomp.h"

int main(int, char** arguments) {
  promise::use(65'536, 5);
  void* const memory = promise::get<void>(65'536);
  promise::put(memory);
  if (std::string_view(arguments[1]) == "abort") {
    promise::answer_calls(
        {{{SYS_write, SYS_rt_sigprocmask, SYS_getpid, SYS_gettid, SYS_tgkill}, SECCOMP_RET_ALLOW}},
        SECCOMP_RET_KILL_PROCESS);
  } else {
    promise::answer_calls({{{SYS_write}, SECCOMP_RET_ALLOW}}, SECCOMP_RET_KILL_PROCESS);
  }
  promise::put(memory);
}
