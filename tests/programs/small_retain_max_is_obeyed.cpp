// SPDX-License-Identifier: MIT
// Promise: RETAIN_MAX=0 keeps nothing idle.
// Needs: library
// Env: BUFPOOL_RETAIN_MAX=0 BUFPOOL_RETAIN_TIME=1s
#include "tests/programs/memory.h"
int main() {
  const std::size_t before = promise::resident_bytes();
  { promise::Burst burst(7 * promise::kMiB, 60'000); }
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 4 * promise::kMiB; }),
      "goes back");
}
