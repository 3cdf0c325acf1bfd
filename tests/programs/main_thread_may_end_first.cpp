// SPDX-License-Identifier: MIT
// Promise: a process whose main thread ends by pthread_exit ends with its last thread, which runs
//   what the program registered for the exit; one that ends by the system call ends with it. The
//   library's own thread keeps neither alive.
// Env: BUFPOOL_TRIMMER=on
// Run: worker
// Args: worker
// Stdout: ^last words$
// Run: at_once
// Args: at_once
// Stdout: ^last words$
// Run: system_call
// Args: system_call
// Exit: 4
#include <pthread.h>
#include <sys/syscall.h>

#include <string_view>

#include "tests/programs/promise.h"

namespace {

// What standard output holds is written by the exit that libc makes.
void* work(void* at_once) {
  if (at_once == nullptr) usleep(400'000);
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
  void* const at_once = how == "at_once" ? &worker : nullptr;
  promise::keep(pthread_create(&worker, nullptr, work, at_once) == 0, "a thread starts");
  pthread_exit(nullptr);
}
