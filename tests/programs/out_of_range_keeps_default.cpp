// SPDX-License-Identifier: MIT
// Promise: a value out of range is reported with the range, and the default stays in force.
// Env: BUFPOOL_MIN_SIZE=2G
// Stderr: BUFPOOL_MIN_SIZE=2G.*range.*512
// Stderr-not: (?s)=2G.*=2G
#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 10);
}
