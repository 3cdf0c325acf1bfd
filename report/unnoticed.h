// SPDX-License-Identifier: MIT
// Guards work in the program's threads that the program must not notice.
#pragma once

#include <signal.h>

namespace bufpool {

// Keeps signals from this thread as long as it lives, but for those of the thread's own faults, and
// keeps it from being cancelled. At its end the thread gets its errno back. A signal handler may
// use it. It calls rt_sigprocmask twice. It also calls rt_sigpending if SIGPIPE or SIGXFSZ is
// blocked, and rt_sigtimedwait if a write has raised one of them.
class Unnoticed {
 public:
  // Blocks signals and cancellation.
  Unnoticed() noexcept;
  Unnoticed(const Unnoticed&) = delete;
  Unnoticed& operator=(const Unnoticed&) = delete;
  // Takes the signals away that writes raised, and restores the thread's state.
  ~Unnoticed();

  // Notes that a write failed with `error`. Some errors raise a signal, SIGPIPE or SIGXFSZ. It is
  // taken away at the end, because it would replace the exit status.
  void write_failed(int error) noexcept;

 private:
  void mark(int signal) noexcept;

  int old_errno_;
  int old_cancel_state_;
  bool raised_ = false;
  sigset_t to_take_;  // signals that writes raised
  sigset_t pending_;  // signals that were pending before
  sigset_t old_mask_;
};

}  // namespace bufpool
