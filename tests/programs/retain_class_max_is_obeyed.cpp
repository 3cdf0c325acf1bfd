// SPDX-License-Identifier: MIT
// Promise: BUFPOOL_RETAIN_CLASS_MAX bounds what one class keeps idle, below the budget of all.
// Needs: library
// Env: BUFPOOL_RETAIN_CLASS_MAX=1M BUFPOOL_RETAIN_TIME=10m BUFPOOL_RETAIN_MAX=1G
// Env: BUFPOOL_TRIMMER=on
#include "tests/programs/memory.h"

int main() {
  const std::size_t before = promise::resident_bytes();
  { promise::Burst burst(7 * promise::kMiB, 8000); }
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 4 * promise::kMiB; }),
      "one class of 7 MiB is cut down, though the budget would keep it");
}
