// SPDX-License-Identifier: MIT
// Promise: under a limit of data (RLIMIT_DATA) three threads with two MiB in use are all started
//   and served, whether the limit stood at the start or the program set it. What mimalloc sets
//   aside for a thread would leave them nothing.
// Run: at_start
// Limit: data=52M
// Run: later
// Args: set_limit
#include <pthread.h>
#include <sys/resource.h>

#include "tests/programs/promise.h"

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kLimit = 52 * kMiB;
constexpr std::size_t kSizesOfOne[] = {24, 200, 700, 2000, 5000, 9000, 15'000};

void* work(void*) {
  std::array<void*, 100> held{};
  for (unsigned i = 0; i < 5000; ++i) {
    void*& memory = held[i * 7 % held.size()];
    promise::put(memory);
    const std::size_t bytes = kSizesOfOne[i % std::size(kSizesOfOne)];
    memory = promise::get<void>(bytes);
    promise::fill(memory, 16, i);
  }
  for (void* memory : held) promise::put(memory);
  return nullptr;
}

}  // namespace

int main(int count, char**) {
  const rlimit limit{kLimit, kLimit};
  if (count > 1) promise::keep(setrlimit(RLIMIT_DATA, &limit) == 0, "the limit is set");
  std::array<pthread_t, 3> threads;
  for (pthread_t& thread : threads) {
    promise::keep(pthread_create(&thread, nullptr, work, nullptr) == 0, "a thread is started");
  }
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
}
