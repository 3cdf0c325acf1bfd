// SPDX-License-Identifier: MIT
// A guard for work in the program's threads that the program must not notice.
#pragma once

#include <signal.h>

namespace bufpool {

// While it lives, this thread is not interrupted by a signal (one that is raised by the thread's
// own faults excepted), is not cancelled, and gets its errno back at the end. A signal handler may
// use it. The system calls it makes are two of rt_sigprocmask; one of rt_sigpending, too, where
// SIGPIPE or SIGXFSZ is blocked, and of rt_sigtimedwait where a write has raised one of them.
class Unnoticed {
 public:
  Unnoticed() noexcept;
  Unnoticed(const Unnoticed&) = delete;
  Unnoticed& operator=(const Unnoticed&) = delete;
  ~Unnoticed();

  // A write failed with `error`, which may have raised a signal: SIGPIPE or SIGXFSZ. It is taken
  // away at the end, because it would replace the exit status.
  void write_failed(int error) noexcept;

 private:
  void mark(int signal) noexcept;

  int old_errno_;
  int old_cancel_state_;
  bool raised_ = false;
  sigset_t to_take_;  // signals that writes raised
  sigset_t pending_;  // before
  sigset_t old_mask_;
};

}  // namespace bufpool
