// SPDX-License-Identifier: MIT
// Promise: once the main thread has ended, the library may have no thread of its own. What another
//   thread frees still goes back, except for the budget of idle memory. The report says what is
//   resident.
// Env: BUFPOOL_REPORT_MIN=1 BUFPOOL_REPORT=stderr
// Stderr: resident [1-9]
#include <pthread.h>

#include <vector>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kBuffers = 200;

// The budget may have risen to 64 MiB, and each CPU's cache holds some buffers.
constexpr std::size_t kMost = 120 * promise::kMiB;

void* work(void*) {
  promise::sleep_ms(100);  // the main thread's end
  const std::size_t before = promise::resident_bytes();
  promise::keep(before > 0, "the kernel tells what is resident");
  { promise::Burst burst(kBuffers * promise::kMiB, promise::kMiB); }
  promise::keep(promise::grown_since(before) < kMost, "freed buffers go back");
  exit(0);
}

}  // namespace

int main() {
  pthread_t worker;
  promise::keep(pthread_create(&worker, nullptr, work, nullptr) == 0, "a thread starts");
  pthread_exit(nullptr);
}
