// SPDX-License-Identifier: MIT
#include "report/unnoticed.h"

#include <pthread.h>

#include <cerrno>
#include <ctime>
#include <initializer_list>

namespace bufpool {
namespace {

// These signals stay unblocked. If one of them is blocked when the thread itself raises it, it
// kills the process and the handler does not run. SIGSYS is among them because a filter of system
// calls may answer by it, and the program may count on its handler then.
constexpr std::initializer_list<int> kOwnFaults{SIGSEGV, SIGBUS,  SIGILL, SIGFPE,
                                                SIGTRAP, SIGABRT, SIGSYS};

}  // namespace

Unnoticed::Unnoticed() noexcept : old_errno_(errno), old_cancel_state_(PTHREAD_CANCEL_ENABLE) {
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int signal : kOwnFaults) sigdelset(&blocked, signal);
  pthread_sigmask(SIG_BLOCK, &blocked, &old_mask_);
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old_cancel_state_);
  sigemptyset(&to_take_);
  sigemptyset(&pending_);
  // Only a signal that was blocked can be pending. The kernel is asked only then, because a program
  // that has locked itself in may be killed for the call.
  const bool may_be =
      sigismember(&old_mask_, SIGPIPE) == 1 || sigismember(&old_mask_, SIGXFSZ) == 1;
  if (may_be) sigpending(&pending_);
}

Unnoticed::~Unnoticed() {
  const timespec at_once{};
  if (raised_) sigtimedwait(&to_take_, nullptr, &at_once);
  pthread_setcancelstate(old_cancel_state_, nullptr);
  pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
  errno = old_errno_;
}

void Unnoticed::write_failed(int error) noexcept {
  if (error == EPIPE) mark(SIGPIPE);
  if (error == EFBIG) mark(SIGXFSZ);
}

// A signal that was pending before is the program's own, and stays pending.
void Unnoticed::mark(int signal) noexcept {
  if (sigismember(&pending_, signal) == 1) return;
  sigaddset(&to_take_, signal);
  raised_ = true;
}

}  // namespace bufpool
