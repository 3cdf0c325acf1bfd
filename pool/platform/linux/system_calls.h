// SPDX-License-Identifier: MIT
// Makes system calls in threads of the program: errno stays, and a call that a filter has refused
// is not made again. Only files of this folder include it.
#pragma once

#include <cerrno>

namespace bufpool::platform {

// Gives errno the value back that it had, when its scope ends.
class KeepErrno {
 public:
  // Keeps the value that errno has now.
  KeepErrno() noexcept : kept_(errno) {}
  ~KeepErrno() { errno = kept_; }
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

 private:
  int kept_;
};

// Names the calls that a filter may refuse. A thread does not make a call again that was refused to
// it, as filters stay. A filter is a thread's own, and that of the threads that it starts: the same
// call may be granted to another thread.
enum class Call : unsigned {
  kCommit = 1,
  kPurge = 2,
  kMovePages = 4,
  kRestart = 8,
  kThread = 16,
  kHugePages = 32,
  kSmallPages = 64,
  kSplit = 128,
};
inline constinit thread_local unsigned refused_calls [[gnu::tls_model("initial-exec")]] = 0;

// Returns whether a filter has refused the call to this thread.
inline bool is_refused(Call call) noexcept {
  return (refused_calls & static_cast<unsigned>(call)) != 0;
}

// Remembers a refusal. Filters answer by one of these errors, which the calls never return
// themselves.
inline void note_error(Call call, int error) noexcept {
  const bool refused = error == EPERM || error == ENOSYS || error == EACCES;
  if (refused) refused_calls |= static_cast<unsigned>(call);
}

// Makes a call unless it is refused. Returns false if it failed or was not made.
template <typename Make>
bool try_call(Call call, Make make) noexcept {
  if (is_refused(call)) return false;
  const KeepErrno keep;
  if (make()) return true;
  note_error(call, errno);
  return false;
}

}  // namespace bufpool::platform
