// SPDX-License-Identifier: MIT
// Keeps what the platform's functions do out of the program's errno.
#pragma once

#include <cerrno>

namespace bufpool::platform {

class KeepErrno {
 public:
  KeepErrno() noexcept : kept_(errno) {}
  ~KeepErrno() { errno = kept_; }
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

 private:
  int kept_;
};

}  // namespace bufpool::platform
