// SPDX-License-Identifier: MIT
// Promise: a thread that is about to be cancelled may call malloc_stats, malloc_info and _exit. It
//   is not cancelled in any of them, and each does what it should.
// Env: BUFPOOL_REPORT=stderr
// Run: stats
// Args: stats
// Stderr: (?s)what to change.*what to change
// Run: info
// Args: info
// Stderr: (?s)</malloc>.*what to change
// Run: leave
// Args: leave
// Exit: 5
// Stderr: what to change
#include <malloc.h>
#include <pthread.h>

#include <string_view>

#include "tests/programs/promise.h"

namespace {

void* end_cancelled(void* argument) {
  const std::string_view how = static_cast<const char*>(argument);
  pthread_cancel(pthread_self());
  if (how == "leave") _exit(5);
  if (how == "stats") malloc_stats();
  if (how == "info") malloc_info(0, stderr);
  pthread_testcancel();
  return nullptr;
}

}  // namespace

int main(int, char** arguments) {
  promise::use(70000, 150);
  pthread_t thread{};
  promise::keep(pthread_create(&thread, nullptr, end_cancelled, arguments[1]) == 0, "it starts");
  void* result = nullptr;
  pthread_join(thread, &result);
  promise::keep(result == PTHREAD_CANCELED, "the thread is cancelled afterwards");
}
