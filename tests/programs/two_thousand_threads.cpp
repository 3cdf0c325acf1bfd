// SPDX-License-Identifier: MIT
// Promise: two thousand threads that live at once each get buffers of their own, and memory stays
//   bounded by what they hold, not by their number.
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <vector>

#include "tests/programs/promise.h"

namespace {

constexpr unsigned kThreads = 2000;
std::atomic<bool> leave;
std::atomic<unsigned> ready;

void* work(void* seed) {
  const auto own = static_cast<unsigned>(reinterpret_cast<std::size_t>(seed));
  void* memory = promise::get<void>(16384);
  promise::fill(memory, 16384, own);
  for (const std::size_t bytes : {600UL, 4096UL, 20000UL, 100000UL}) promise::use(bytes, 20);
  ++ready;
  leave.wait(false);
  promise::keep(promise::holds(memory, 16384, own), "a thread's buffer is its own");
  promise::put(memory);
  return nullptr;
}

}  // namespace

int main() {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 128 << 10);
  std::vector<pthread_t> threads(kThreads);
  for (std::size_t i = 0; i < kThreads; ++i) {
    const int result = pthread_create(&threads[i], &small, work, reinterpret_cast<void*>(i));
    if (result == EAGAIN) promise::skip("so many threads are not allowed here");
  }
  while (ready < kThreads) usleep(10000);
  leave = true;
  leave.notify_all();
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  promise::keep(usage.ru_maxrss < (400 << 10), "at most 400 MiB resident");
}
