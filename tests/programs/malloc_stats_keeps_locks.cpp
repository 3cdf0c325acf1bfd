// SPDX-License-Identifier: MIT
// Promise: a program that has a lock on the file of its stderr still has it after malloc_stats.
#include <fcntl.h>
#include <malloc.h>
#include <sys/wait.h>

#include "tests/programs/promise.h"

namespace {

struct flock lock_of_writers() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_len = 10;
  return lock;
}

// Another process asks, because a process is not told of its own locks.
bool is_locked() {
  const pid_t child = fork();
  if (child == 0) {
    struct flock lock = lock_of_writers();
    _exit(fcntl(STDERR_FILENO, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK ? 0 : 1);
  }
  int status = -1;
  return waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace

int main() {
  int ends[2];
  const int before = dup(STDERR_FILENO);
  promise::keep(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) >= 0, "stderr is a pipe");
  struct flock lock = lock_of_writers();
  promise::keep(fcntl(STDERR_FILENO, F_SETLK, &lock) == 0, "it can be locked");
  const bool was_locked = is_locked();
  malloc_stats();
  const bool stays_locked = is_locked();
  dup2(before, STDERR_FILENO);
  promise::keep(was_locked, "it is locked");
  promise::keep(stays_locked, "it stays so");
}
