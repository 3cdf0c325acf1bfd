// SPDX-License-Identifier: MIT
// Promise: counts are exact, not sampled, over threads and CPUs, for sizes hit and missed.
// Reports: 1
// Class: 200000 gets=8008 puts=8003 in_use=5
// Class: 1M gets=4004 puts=4004 in_use=0
// Class: 3000 gets=44044 in_use=0
#include <thread>
#include <vector>

#include "tests/programs/promise.h"

namespace {

void work() {
  promise::use(3000, 9000);
  std::array<void*, 100> held{};
  for (int round = 0; round < 20; ++round) {
    for (void*& memory : held) memory = promise::get<void>(round % 2 == 0 ? 3000 : 200000);
    for (void* memory : held) promise::put(memory);
  }
  promise::use(200000, 1000);
  promise::use(1 << 20, 1000);
  promise::use(3000, 1000);
}

}  // namespace

int main() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  promise::use(1 << 20, 4);
  promise::use(3000, 44);
  promise::use(200000, 3);
  for (int i = 0; i < 5; ++i) promise::get<void>(200000);
}
