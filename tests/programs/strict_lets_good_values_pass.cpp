// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_STRICT=1 and nothing wrong the program runs, and nothing is said.
// Env: BUFPOOL_STRICT=1 BUFPOOL_MAX_SIZE=1M BUFPOOL_MIN_SIZE=4KiB BUFPOOL_CPU_CACHE=8m
#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 10);
}
