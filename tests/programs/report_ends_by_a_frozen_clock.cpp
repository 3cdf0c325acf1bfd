// SPDX-License-Identifier: MIT
// Promise: a library before libc stops the program's clock, as libfaketime does. The program still
//   ends by itself and with its own status, though its stderr is a pipe that another process keeps
//   locked.
// Env: -BUFPOOL_REPORT
// Modes: auto
// Preload-before: frozen_clock
// Stderr-not: not kept
#include "tests/programs/again.h"
#include "tests/programs/memory.h"

namespace {

// Another process locks all of the pipe from here on, until that process is gone.
pid_t lock_by_another(int writer) {
  const promise::Pipe told = promise::make_pipe();
  const pid_t owner = fork();
  if (owner == 0) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    promise::keep(fcntl(writer, F_SETLK, &lock) == 0, "a pipe can be locked");
    promise::keep(write(told.writer, "", 1) == 1, "and that is told");
    for (;;) pause();
  }
  char byte = 0;
  promise::keep(read(told.reader, &byte, 1) == 1, "the pipe is locked");
  return owner;
}

// It waits without a clock. Returns -1 if the child does not end.
int status_of(pid_t child) {
  int status = 0;
  for (int waited_ms = 0; waited_ms < promise::kLongMs; waited_ms += 20) {
    if (waitpid(child, &status, WNOHANG) == child) return status;
    promise::sleep_ms(20);
  }
  return -1;
}

}  // namespace

int main(int count, char**) {
  if (count == 2) {
    promise::use(20000, 500);
    return 7;
  }
  const promise::Pipe pipe = promise::make_pipe();
  const pid_t owner = lock_by_another(pipe.writer);
  const pid_t child = promise::start_again("report", pipe.writer);
  const int status = status_of(child);
  kill(owner, SIGKILL);
  kill(child, SIGKILL);
  promise::keep(status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 7, "it ends by itself");
}
