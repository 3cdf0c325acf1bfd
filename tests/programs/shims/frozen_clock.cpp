// SPDX-License-Identifier: MIT
// Stops every clock that libc tells, and makes the waits of libc a hundred times as long, as
// libfaketime does when it is told to.
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern "C" {

int clock_gettime(clockid_t, timespec* time) noexcept {
  *time = {1'000'000, 0};
  return 0;
}

int poll(pollfd* asked, nfds_t count, int milliseconds) {
  const timespec time{milliseconds / 10, milliseconds % 10 * 100'000'000L};
  return static_cast<int>(
      syscall(SYS_ppoll, asked, count, milliseconds < 0 ? nullptr : &time, nullptr, 0));
}
}
