// SPDX-License-Identifier: MIT
// Promise: a signal handler that interrupts a fork, while locks are held for that fork, may
//   allocate and may fork itself. Afterwards no lock is left held on any side, and buffers come
//   from the pool again. A fork makes four processes here: its own child, the child of the
//   handler's fork, which goes on to fork as well, and the child of the handler after that.
// Preload-after: early_fork_handlers
// Env: BUFPOOL_REPORT={tmp}/%p
// Reports: 21
// Class: 6000 in_use=0 fallbacks=0
#include <csignal>

#include "tests/programs/workers.h"

namespace {

pid_t first;
volatile bool within;

// It uses another class, because mimalloc may serve while a fork is under way.
void use_other() { promise::use(20000, 200); }

// Gets more than caches hold, and puts it back. If a lock is left held, mimalloc serves.
void use_pool() {
  static std::array<void*, 500> held;
  for (void*& memory : held) memory = promise::get<void>(6000);
  for (void* memory : held) promise::put(memory);
}

void expect_good_end_of_all() {
  int status = 0;
  while (wait(&status) > 0) promise::keep(status == 0, "a child ends well");
}

// It runs twice in each of the first process's forks, before it and after it.
void fork_again(int) {
  const int error = errno;
  use_other();
  if (getpid() == first && !within) {
    within = true;
    fork();
    use_other();
    within = false;
  }
  errno = error;
}

}  // namespace

int main() {
  first = getpid();
  use_pool();
  promise::Workers workers(2);
  struct sigaction action {};
  action.sa_handler = fork_again;
  action.sa_flags = SA_NODEFER;
  sigaction(SIGUSR1, &action, nullptr);
  for (int i = 0; i < 5; ++i) {
    alarm(20);
    fork();
    expect_good_end_of_all();
    use_pool();
    if (getpid() != first) _exit(0);
  }
}
