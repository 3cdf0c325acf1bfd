// SPDX-License-Identifier: MIT
// Promise: a child that _Fork makes while other threads of its parent fork has its pool. Its
//   requests are not passed to mimalloc for ever.
#include <malloc.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/programs/again.h"
#include "tests/programs/memory.h"

namespace {

constexpr int kChildren = 40;
constexpr int kBuffers = 1000;
constexpr std::size_t kBytes = 100'000;

// A buffer of the pool has room for its class, which no block of mimalloc has.
bool pool_serves(std::size_t pooled) {
  int served = 0;
  std::vector<void*> held;
  for (int i = 0; i < kBuffers; ++i) {
    held.push_back(promise::get<void>(kBytes));
    if (malloc_usable_size(held.back()) == pooled) ++served;
  }
  for (void* const buffer : held) promise::put(buffer);
  return served > kBuffers / 2;
}

}  // namespace

int main() {
  void* const first = promise::get<void>(kBytes);
  const std::size_t pooled = malloc_usable_size(first);
  promise::put(first);
  std::atomic<bool> over{false};
  std::vector<std::thread> forkers;
  for (int i = 0; i < 2; ++i) {
    forkers.emplace_back([&] {
      while (!over) {
        const pid_t child = fork();
        if (child == 0) _exit(0);
        promise::wait_for(child);
      }
    });
  }
  int without_pool = 0;
  for (int i = 0; i < kChildren; ++i) {
    promise::sleep_ms(2);
    const pid_t child = _Fork();
    if (child == 0) _exit(pool_serves(pooled) ? 0 : 1);
    if (promise::wait_for(child) != 0) ++without_pool;
  }
  over = true;
  for (std::thread& forker : forkers) forker.join();
  promise::keep(without_pool == 0, "every child has its pool");
}
