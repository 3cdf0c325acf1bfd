// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_MODE=locked the mode is locked, and the pool serves.
// Modes: locked
// Env: BUFPOOL_VERBOSE=1
// Stderr: (?i)mode\W+locked
#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 10);
}
