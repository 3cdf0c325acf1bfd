// SPDX-License-Identifier: MIT
// Promise: when a burst is freed, all of it but the budget's floor goes back in seconds. The floor
//   stays for as long as idle memory is kept. The same burst, repeated at once, finds most of its
//   pages.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=10m BUFPOOL_RETAIN_MAX=64M BUFPOOL_PRESSURE=off
#include "tests/programs/memory.h"

int main() {
  constexpr std::size_t kBurst = 100 * promise::kMiB;
  const std::size_t before = promise::resident_bytes();
  const std::uint64_t start = promise::now_ms();
  { promise::Burst burst(kBurst, 64 << 10); }
  const long at_first = promise::page_faults();
  { promise::Burst burst(kBurst, 64 << 10); }
  const long repeated = promise::page_faults() - at_first;
  if (promise::now_ms() - start < 900) {
    promise::keep(repeated < static_cast<long>(kBurst / 4096 / 4), "repeated at once it is warm");
  }
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 12 * promise::kMiB; }),
      "down to the floor");
  promise::sleep_ms(1500);
  promise::keep(promise::grown_since(before) > 4 * promise::kMiB, "and no further");
}
