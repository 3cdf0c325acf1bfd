// SPDX-License-Identifier: MIT
// Promise: a program whose sizes change never has much more resident than it held at its peak plus
//   the budget, with or without a thread that gives memory back.
// Needs: library
// Env: BUFPOOL_RETAIN_MAX=8M BUFPOOL_CPU_CACHE=1M
// Run: thread
// Run: alone BUFPOOL_TRIMMER=off
#include "tests/programs/memory.h"

int main() {
  constexpr std::size_t kPeak = 48 * promise::kMiB;
  constexpr std::size_t kBudget = 8 * promise::kMiB;
  // It is for the caches of two CPUs or more, blocks in spans that are partly used, libc, and the
  // pool's own records.
  constexpr std::size_t kElse = 16 * promise::kMiB;
  const std::size_t before = promise::resident_bytes();
  std::size_t most = 0;
  for (int round = 0; round < 2; ++round) {
    for (const std::size_t size :
         {5000UL, 9000UL, 40'000UL, 65'000UL, 200'000UL, 1'000'000UL, 3'000'000UL, 12'000'000UL}) {
      promise::Burst burst(kPeak, size);
      most = std::max(most, promise::grown_since(before));
    }
  }
  promise::keep(most > kPeak * 3 / 4, "the peak is resident");
  promise::keep(most < kPeak + kBudget + kElse, "and little else");
}
