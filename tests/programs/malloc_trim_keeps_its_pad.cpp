// SPDX-License-Identifier: MIT
// Promise: malloc_trim leaves as many idle bytes as it is told to, and says whether any went back.
// Needs: library
// Env: BUFPOOL_TRIMMER=off BUFPOOL_RETAIN_TIME=10m BUFPOOL_RETAIN_MAX=1G
#include <malloc.h>

#include "tests/programs/memory.h"

int main() {
  constexpr std::size_t kBurst = 60 * promise::kMiB;
  const std::size_t before = promise::resident_bytes();
  { promise::Burst burst(kBurst, 60'000); }
  promise::keep(promise::grown_since(before) > kBurst * 3 / 4, "60 MiB are idle");
  promise::keep(malloc_trim(20 * promise::kMiB) == 1, "some goes back");
  const std::size_t kept = promise::grown_since(before);
  promise::keep(kept > 15 * promise::kMiB && kept < 25 * promise::kMiB, "20 MiB stay");
  promise::keep(malloc_trim(kBurst) == 0, "there is less than that");
  promise::keep(malloc_trim(0) == 1, "now the rest");
  promise::keep(promise::grown_since(before) < 5 * promise::kMiB, "nothing stays");
  promise::keep(malloc_trim(0) == 0, "nothing is left to give");
}
