// SPDX-License-Identifier: MIT
// Promise: BUFPOOL_MODE=locked is the mode then, and it serves.
// Modes: locked
// Env: BUFPOOL_VERBOSE=1
// Stderr: (?i)mode\W+locked
#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 10);
}
