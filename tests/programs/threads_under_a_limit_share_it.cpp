// SPDX-License-Identifier: MIT
// Promise: under a limit of address space four hundred threads that live at once are all started.
//   All get small blocks, from every entry, and none takes more than it uses.
// Limit: as=5G
#include <malloc.h>
#include <pthread.h>

#include <atomic>
#include <vector>

#include "tests/programs/promise.h"

namespace {

constexpr unsigned kThreads = 400;
std::atomic<bool> leave;
std::atomic<unsigned> ready;

void* get_some_way(unsigned way, std::size_t bytes) {
  if (way == 0) return malloc(promise::hide(bytes));
  if (way == 1) return memalign(64, promise::hide(bytes));
  if (way == 2) return realloc(malloc(promise::hide(bytes / 2)), promise::hide(bytes));
  void* const zeroed = calloc(promise::hide(bytes), 1);
  promise::keep(zeroed == nullptr || promise::is_zero(zeroed, bytes), "calloc is zero");
  return zeroed;
}

void* work(void* seed) {
  const auto own = static_cast<unsigned>(reinterpret_cast<std::size_t>(seed));
  std::array<void*, 24> held{};
  for (unsigned i = 0; i < held.size(); ++i) {
    const std::size_t bytes = 16 + 16 * i;
    held[i] = get_some_way((own + i) % 4, bytes);
    promise::keep(held[i] != nullptr, "a small block");
    promise::keep(malloc_usable_size(held[i]) >= bytes, "of its size");
    promise::fill(held[i], bytes, own + i);
  }
  ++ready;
  while (!leave) usleep(20'000);
  for (unsigned i = 0; i < held.size(); ++i) {
    promise::keep(promise::holds(held[i], 16 + 16 * i, own + i), "a thread's block is its own");
    promise::put(held[i]);
  }
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
    promise::keep(result == 0, "a thread is started");
    while (ready <= i) usleep(100);
  }
  leave = true;
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
}
