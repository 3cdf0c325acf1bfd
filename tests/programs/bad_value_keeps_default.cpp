// SPDX-License-Identifier: MIT
// Promise: a value that cannot be read is reported with what is allowed, and the default stays in
//   force.
// Env: BUFPOOL_MAX_SIZE=64Q
// Stderr: BUFPOOL_MAX_SIZE=64Q.*1G
// Stderr-not: (?s)64Q.*64Q
#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 10);
}
