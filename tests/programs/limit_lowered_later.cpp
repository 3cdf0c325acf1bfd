// SPDX-License-Identifier: MIT
// Promise: a program that lowers its own limit of address space after the start goes on. It still
//   gets small and pooled requests, one of 64 MiB, and a thread.
#include <sys/resource.h>

#include <thread>

#include "tests/programs/promise.h"

int main() {
  promise::use(5000, 10);
  const rlimit limit{1 << 30, 1 << 30};
  promise::keep(setrlimit(RLIMIT_AS, &limit) == 0, "the limit is lowered");
  static std::array<void*, 20'000> small{};
  for (std::size_t i = 0; i < small.size(); ++i) small[i] = promise::get<void>(100 + i % 300);
  std::array<void*, 1000> pooled{};
  for (std::size_t i = 0; i < pooled.size(); ++i) pooled[i] = promise::get<void>(60'000 + i);
  void* const large = promise::get<void>(64 << 20);
  std::thread([] {
    for (const std::size_t bytes : promise::kSizes) promise::use(bytes);
  }).join();
  promise::put(large);
  for (void* memory : pooled) promise::put(memory);
  for (void* memory : small) promise::put(memory);
}
