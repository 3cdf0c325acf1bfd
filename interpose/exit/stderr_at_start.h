// SPDX-License-Identifier: MIT
// Tells whether stderr still is what the process was started with.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "pool/platform/safe_calls.h"

namespace bufpool {

// No duplicate of stderr is kept: it would keep a pipe from ending and a terminal from closing when
// the program lets go of them. So descriptor 2 has to be what it was. If it is anything else, it
// may be a file of the program's that was opened after a close.
class StderrAtStart {
 public:
  // Looks at stderr. Pre: called once, at start.
  void remember() noexcept {
    had_ = fstat(STDERR_FILENO, &file_) == 0;
    knows_birth_ = had_ && S_ISREG(file_.st_mode) &&
                   platform::safe_calls() == platform::SafeCalls::kAny && birth_time(birth_);
  }

  // Returns whether descriptor 2 is the same file as at start. It makes one call, fstat. For a
  // regular file it makes another, statx, unless the program has locked itself in.
  [[nodiscard]] bool is_there() const noexcept {
    struct stat now = {};
    if (!had_) return false;
    // A program that has locked itself in may be refused the look. It cannot have opened anything.
    if (fstat(STDERR_FILENO, &now) != 0) return errno != EBADF;
    return now.st_dev == file_.st_dev && now.st_ino == file_.st_ino && was_born_then();
  }

 private:
  // Reads when the file of descriptor 2 was made. It returns false if that is not known.
  static bool birth_time(statx_timestamp& time) noexcept {
    struct statx file = {};
    if (statx(STDERR_FILENO, "", AT_EMPTY_PATH, STATX_BTIME, &file) != 0) return false;
    time = file.stx_btime;
    return (file.stx_mask & STATX_BTIME) != 0;
  }

  // A file that was deleted leaves its inode number to the next one, at once on ext4. The next one
  // was made later.
  bool was_born_then() const noexcept {
    statx_timestamp now = {};
    if (!knows_birth_ || platform::expects_filter() || !birth_time(now)) return true;
    return now.tv_sec == birth_.tv_sec && now.tv_nsec == birth_.tv_nsec;
  }

  bool had_ = false;
  bool knows_birth_ = false;
  struct stat file_ = {};
  statx_timestamp birth_ = {};
};

}  // namespace bufpool
