// SPDX-License-Identifier: MIT
// Promise: a filter of system calls that the program sets by itself answers openat with 0, which is
//   no descriptor of the library's. What the program has as descriptor 0 is neither read nor
//   closed.
// Env: BUFPOOL_STATS=on BUFPOOL_RETAIN_MAX=10%
#include <fcntl.h>

#include "tests/programs/seccomp.h"

namespace {

constexpr std::size_t kBytes = 3'000'000;

// Some megabytes that are idle lead to the limits of memory being read.
void leave_idle() {
  std::array<void*, 8> buffers{};
  for (void*& buffer : buffers) {
    buffer = promise::get<void>(kBytes);
    memset(buffer, 1, kBytes);
  }
  for (void* const buffer : buffers) promise::put(buffer);
}

}  // namespace

int main() {
  std::array<int, 2> ends{};
  promise::keep(pipe2(ends.data(), O_NONBLOCK) == 0, "there is a pipe");
  promise::keep(write(ends[1], "data", 4) == 4, "with four bytes");
  promise::keep(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO, "it is descriptor 0");
  const sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(rules), const_cast<sock_filter*>(rules)};
  // libc's prctl would tell the library.
  if (syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
    promise::skip("system calls cannot be filtered here");
  }
  for (int i = 0; i < 20; ++i) leave_idle();
  std::array<char, 8> data{};
  promise::keep(read(STDIN_FILENO, data.data(), data.size()) == 4, "it is open, and all is there");
}
