// SPDX-License-Identifier: MIT
// Promise: the library writes nothing to stdout.
// Env: -BUFPOOL_REPORT BUFPOOL_VERBOSE=1 BUFPOOL_REPROT=typo
// Stderr: (?i)bufpool
// Stdout-not: .
#include "tests/programs/promise.h"

int main() {
  promise::use(70000, 150);
  exit(0);
}
