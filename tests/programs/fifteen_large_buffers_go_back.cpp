// SPDX-License-Identifier: MIT
// Promise: 15 MiB in a few large buffers are above the threshold of 8 MiB, so they go back.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=1s
#include "tests/programs/memory.h"
int main() {
  const std::size_t before = promise::resident_bytes();
  { promise::Burst burst(15 * promise::kMiB, 1000'000); }
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 9 * promise::kMiB; }),
      "goes back");
}
