// SPDX-License-Identifier: MIT
// Promise: a program of one thread may do what the kernel allows to a process of one thread only,
//   and errno stays as it was. The library's own thread makes way, and may come back.
// Env: BUFPOOL_TRIMMER=on
// Run: unshare
// Args: unshare
// Run: setns
// Args: setns
// Run: refused
// Args: refused
// Run: other_threads
// Args: other_threads
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

#include <string_view>

#include "tests/programs/memory.h"

namespace {

// It needs no privilege and changes nothing.
int unshare_threads() { return unshare(CLONE_THREAD); }

// Enters its own namespace of mounts, which threads may not enter because they share the current
// folder.
int enter_own_mounts() {
  const int mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  const int result = setns(mounts, 0);
  const int error = errno;
  close(mounts);
  errno = error;
  return result;
}

int refused_call() { return unshare(1); }

void skip_where_forbidden(int (*call)()) {
  const pid_t child = fork();
  if (child == 0) _exit(call() == 0 || (errno != EPERM && errno != ENOSYS) ? 0 : 1);
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child, "it ends");
  if (status != 0) promise::skip("the call is forbidden here");
}

void wait_for_trimmer() {
  if (getenv("LD_PRELOAD") == nullptr) return;
  promise::keep(promise::comes_true([] { return promise::trimmer_thread() != 0; }), "it is there");
}

void* wait_for_ever(void*) {
  for (;;) pause();
}

}  // namespace

int main(int, char** arguments) {
  const std::string_view how = arguments[1];
  auto* const call = how == "setns" ? enter_own_mounts : unshare_threads;
  skip_where_forbidden(call);
  wait_for_trimmer();
  errno = 77;
  if (how == "refused") {
    promise::keep(refused_call() == -1 && errno == EINVAL, "what is wrong is refused");
    return 0;
  }
  if (how == "other_threads") {
    pthread_t thread;
    promise::keep(pthread_create(&thread, nullptr, wait_for_ever, nullptr) == 0, "it starts");
    promise::keep(call() == -1 && errno == EINVAL, "a second thread of the program's forbids it");
    return 0;
  }
  promise::keep(call() == 0, "one thread may");
  promise::keep(errno == 77, "errno is as it was");
  promise::Burst(40 * promise::kMiB, 50'000);
  wait_for_trimmer();
}
