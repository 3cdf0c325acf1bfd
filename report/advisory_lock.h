// SPDX-License-Identifier: MIT
// Lets processes of ours take turns at writing to a file, by a lock on it.
#pragma once

#include "report/deadline.h"

namespace bufpool {

// Holds a record lock (F_SETLK) on one byte far behind the end of a file. The lock belongs to the
// process and ends with it. It lies on the file and not on the open file, because several processes
// share one open file.
class AdvisoryLock {
 public:
  // The lock is not held yet.
  AdvisoryLock() noexcept = default;
  AdvisoryLock(const AdvisoryLock&) = delete;
  AdvisoryLock& operator=(const AdvisoryLock&) = delete;
  // Lets go of the lock. The descriptor must still be open.
  ~AdvisoryLock();

  // Waits for the lock on the file of `descriptor` up to deadline.left(). Returns 0, or ETIMEDOUT
  // if another process held it all the time. It returns 0 as well if the file cannot be locked at
  // all: the caller goes on without a lock. It calls fcntl, and nanosleep while it waits. A signal
  // handler may call it. Call it once.
  [[nodiscard]] int take(int descriptor, const Deadline& deadline) noexcept;

 private:
  int descriptor_ = -1;  // of the locked file; -1: the lock is not held
};

}  // namespace bufpool
