// SPDX-License-Identifier: MIT
// Wraps fork, for a signal handler that interrupts a fork and forks itself. libc allows that in a
// process of one thread, where fork takes no lock. With a second thread, which may be the
// trimmer's, the fork in the handler would wait for ever: the fork that it interrupted holds the
// locks in the same thread. libc has no locks while it runs the fork handlers of others, which may
// fork as any code.
#include <unistd.h>

#include <tuple>

#include "interpose/export.h"
#include "interpose/lifecycle/lifecycle.h"
#include "interpose/next_symbol.h"

// glibc has the first since 2.32, and the second since 2.34.
extern "C" char __libc_single_threaded;  // NOLINT(bugprone-reserved-identifier): libc's name
#pragma weak __libc_single_threaded
#pragma weak _Fork

namespace bufpool {
namespace {

constinit NextSymbol<pid_t() noexcept> next_fork("fork");

bool takes_locks() noexcept {
  return &__libc_single_threaded != nullptr && __libc_single_threaded == 0;
}

// Forks without libc's locks. It leaves out the handlers of others, because the interrupted fork
// runs them.
pid_t fork_without_locks() noexcept {
  before_fork();
  const pid_t child = _Fork();
  child == 0 ? after_fork_in_child() : after_fork_in_parent();
  return child;
}

}  // namespace

void find_next_fork() noexcept { std::ignore = next_fork.get(); }

}  // namespace bufpool

BUFPOOL_EXPORT pid_t fork() noexcept {
  const bool is_within = bufpool::is_fork_under_way();
  if (is_within && bufpool::takes_locks() && &_Fork != nullptr) {
    return bufpool::fork_without_locks();
  }
  return bufpool::next_fork.get()();
}
