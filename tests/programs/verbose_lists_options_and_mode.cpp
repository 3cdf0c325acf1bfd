// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_VERBOSE=1 the library says at start every option in force, and the mode.
// Env: BUFPOOL_VERBOSE=1 BUFPOOL_MAX_SIZE=1M
// Stderr: MAX_SIZE\W+1M
// Stderr: MIN_SIZE\W+512
// Stderr: CPU_CACHE
// Stderr: REPORT_MIN\W+100
// Stderr: (?i)mode\W+(rseq|locked)
// Stderr-not: address space
#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 10);
}
