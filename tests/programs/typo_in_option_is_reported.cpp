// SPDX-License-Identifier: MIT
// Promise: an unknown variable is named on stderr, once, with the nearest known one, and the
//   program runs.
// Env: BUFPOOL_REPROT=off
// Stderr: (?i)bufpool.*BUFPOOL_REPROT.*BUFPOOL_REPORT\b
// Stderr-not: (?s)REPROT.*REPROT
#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 10);
}
