// SPDX-License-Identifier: MIT
// Promise: RETAIN_MAX=0 keeps nothing idle, and the report says so.
// Needs: library
// Env: BUFPOOL_RETAIN_MAX=0 BUFPOOL_RETAIN_TIME=1s -BUFPOOL_REPORT BUFPOOL_REPORT_MIN=100
// Env: BUFPOOL_REPORT_DETAIL=full
// Stderr: retained .* of a budget of 0 B \(at most 0 B\)
#include "tests/programs/memory.h"
int main() {
  const std::size_t before = promise::resident_bytes();
  { promise::Burst burst(7 * promise::kMiB, 60'000); }
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 4 * promise::kMiB; }),
      "goes back");
}
