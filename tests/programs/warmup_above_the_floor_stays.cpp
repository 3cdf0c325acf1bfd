// SPDX-License-Identifier: MIT
// Promise: what WARMUP made ready is still there 3 s later (RETAIN_TIME is 10 minutes).
// Needs: library
// Env: BUFPOOL_WARMUP=64K:1000 BUFPOOL_RETAIN_TIME=10m BUFPOOL_PRESSURE=off
#include "tests/programs/memory.h"
int main() {
  const std::size_t before = promise::resident_bytes();
  for (int i = 0; i < 100; ++i) {
    promise::use(3'000'000, 1);
    promise::use(20'000, 1);
  }
  promise::sleep_ms(3000);
  promise::keep(promise::resident_bytes() + 8 * promise::kMiB > before, "still ready");
}
