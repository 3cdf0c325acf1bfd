// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_QUIET=1 a wrong or unknown variable is not complained of.
// Env: BUFPOOL_QUIET=1 BUFPOOL_REPROT=off BUFPOOL_MAX_SIZE=64Q
#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 10);
}
