// SPDX-License-Identifier: MIT
#include "report/advisory_lock.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace bufpool {
namespace {

// No program locks a byte so far behind the end of its file.
constexpr off_t kLockedByte = 0x7FFF'FFFF'4275'6670;

struct flock request(short type) noexcept {
  struct flock lock {};
  lock.l_type = type;
  lock.l_start = kLockedByte;
  lock.l_len = 1;
  return lock;
}

// The system call waits by the kernel's clock. The program's clock may stand still (libfaketime).
void wait_a_millisecond() noexcept {
  const timespec time{0, 1'000'000};
  syscall(SYS_nanosleep, &time, nullptr);
}

}  // namespace

int AdvisoryLock::take(int descriptor, const Deadline& deadline) noexcept {
  struct flock lock = request(F_WRLCK);
  // The tries are counted, so that they end where the program's clock stands still. Each waits for
  // a millisecond at least.
  int tries = deadline.left();
  while (fcntl(descriptor, F_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) return 0;
    if (tries-- <= 0 || deadline.left() == 0) return ETIMEDOUT;
    wait_a_millisecond();
  }
  descriptor_ = descriptor;
  return 0;
}

AdvisoryLock::~AdvisoryLock() {
  if (descriptor_ < 0) return;
  struct flock lock = request(F_UNLCK);
  fcntl(descriptor_, F_SETLK, &lock);
}

}  // namespace bufpool
