// SPDX-License-Identifier: MIT
// Whether stderr still is what the process was started with.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace bufpool {

// No duplicate of stderr is kept: it would keep a pipe from ending and a terminal from closing when
// the program lets go of them. So descriptor 2 has to be what it was. If it is anything else, it
// may be a file of the program's that was opened after a close.
class StderrAtStart {
 public:
  // Looks at stderr. Pre: called once, at start.
  void remember() noexcept { had_ = fstat(STDERR_FILENO, &file_) == 0; }

  // Returns whether descriptor 2 is the same file as at start. It makes one call, fstat.
  [[nodiscard]] bool is_there() const noexcept {
    struct stat now = {};
    if (!had_) return false;
    if (fstat(STDERR_FILENO, &now) == 0) {
      return now.st_dev == file_.st_dev && now.st_ino == file_.st_ino;
    }
    // A program that has locked itself in may be refused the look, and cannot have opened anything.
    return errno != EBADF;
  }

 private:
  bool had_ = false;
  struct stat file_ = {};
};

}  // namespace bufpool
