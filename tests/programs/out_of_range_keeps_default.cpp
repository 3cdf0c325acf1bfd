// SPDX-License-Identifier: MIT
// Promise: a value out of range is reported with the range, and the default stays in force.
// Env: BUFPOOL_MIN_SIZE=1G
// Stderr: BUFPOOL_MIN_SIZE=1G.*range.*512
// Stderr-not: (?s)=1G.*=1G
#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 10);
}
