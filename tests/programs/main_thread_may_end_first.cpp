// SPDX-License-Identifier: MIT
// Promise: a process whose main thread ends by pthread_exit, by thrd_exit or by a cancel ends with
//   its last thread, which runs what the program registered for the exit. A process whose main
//   thread ends by the system call ends with it. The library's own thread keeps none of them alive.
// Env: BUFPOOL_TRIMMER=on
// Run: worker
// Args: worker
// Stdout: ^last words$
// Run: at_once
// Args: at_once
// Stdout: ^last words$
// Run: thrd_exit
// Args: thrd_exit
// Stdout: ^last words$
// Run: cancelled
// Args: cancelled
// Stdout: ^last words$
// Run: system_call
// Args: system_call
// Exit: 4
#include <pthread.h>
#include <sys/syscall.h>
#include <threads.h>

#include <string_view>

#include "tests/programs/promise.h"

namespace {

const pthread_t main_thread = pthread_self();

// The exit that libc makes writes what standard output holds.
void* work(void* argument) {
  const std::string_view how = static_cast<const char*>(argument);
  if (how == "worker") usleep(400'000);
  if (how == "cancelled") {
    promise::keep(pthread_cancel(main_thread) == 0, "the main thread is cancelled");
    usleep(5'000);
  }
  promise::use(70000, 10);
  std::printf("last words\n");
  return nullptr;
}

}  // namespace

int main(int, char** arguments) {
  const std::string_view how = arguments[1];
  alarm(120);
  promise::use(1 << 20, 30);
  if (how == "system_call") syscall(SYS_exit, 4);
  pthread_t worker;
  promise::keep(pthread_create(&worker, nullptr, work, arguments[1]) == 0, "a thread starts");
  if (how == "cancelled") pause();
  if (how == "thrd_exit") thrd_exit(0);
  pthread_exit(nullptr);
}
