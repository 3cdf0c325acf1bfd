// SPDX-License-Identifier: MIT
// Has fork handlers that were there first. So they are the last before a fork and the first after
// it, when the handlers of all others have run, or have not. They raise SIGUSR1 if the program has
// a handler for it. It is for fork_within_fork.
#include <pthread.h>

#include <csignal>

namespace {

void tell_program() {
  struct sigaction action {};
  sigaction(SIGUSR1, nullptr, &action);
  if (action.sa_handler != SIG_DFL) raise(SIGUSR1);
}

[[gnu::constructor(101)]] void begin() { pthread_atfork(tell_program, tell_program, tell_program); }

}  // namespace
