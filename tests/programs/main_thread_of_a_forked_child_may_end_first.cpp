// SPDX-License-Identifier: MIT
// Promise: a thread that forked is the child's main thread. When it returns, ends itself or is
//   cancelled there, the child ends with its last thread and runs what was registered for the exit.
//   The library's own thread is not taken for the last one.
// Env: BUFPOOL_TRIMMER=on
// Run: returns
// Args: returns
// Stdout: \Afrom the child\nlast words\n\Z
// Run: exits
// Args: exits
// Stdout: \Afrom the child\nlast words\n\Z
// Run: cancelled
// Args: cancelled
// Stdout: \Afrom the child\nlast words\n\Z
#include <pthread.h>
#include <sys/wait.h>

#include <string_view>

#include "tests/programs/memory.h"

namespace {

pthread_t forked_main;

void* cancel_main(void*) {
  promise::keep(pthread_cancel(forked_main) == 0, "the main thread is cancelled");
  pthread_join(forked_main, nullptr);
  return nullptr;
}

// The exit that libc makes writes what standard output holds.
void end_as(std::string_view how) {
  promise::use(promise::kMiB, 30);
  const auto started = [] {
    promise::Burst(32 * promise::kMiB, 64 << 10);
    return promise::trimmer_thread() != 0;
  };
  promise::keep(promise::comes_true(started), "the child has a thread of the library's");
  atexit([] { std::printf("last words\n"); });
  std::printf("from the child\n");
  forked_main = pthread_self();
  if (how == "exits") pthread_exit(nullptr);
  if (how != "cancelled") return;
  pthread_t other;
  promise::keep(pthread_create(&other, nullptr, cancel_main, nullptr) == 0, "a thread starts");
  for (;;) pause();
}

void* fork_once(void* how) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(300);
    end_as(static_cast<const char*>(how));
    return nullptr;
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child && status == 0, "the child ends well");
  return nullptr;
}

}  // namespace

int main(int, char** arguments) {
  pthread_t forker;
  promise::keep(pthread_create(&forker, nullptr, fork_once, arguments[1]) == 0, "a thread starts");
  pthread_join(forker, nullptr);
}
