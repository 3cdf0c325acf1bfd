// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_STRICT=1 a wrong or unknown variable ends the program before main.
// Exit: nonzero
// Stdout-not: main
// Run: typo
// Env: BUFPOOL_STRICT=1 BUFPOOL_REPROT=off
// Stderr: BUFPOOL_REPROT
// Run: value
// Env: BUFPOOL_STRICT=1 BUFPOOL_MAX_SIZE=64Q
// Stderr: BUFPOOL_MAX_SIZE=64Q
// Run: quiet
// Env: BUFPOOL_STRICT=1 BUFPOOL_QUIET=1 BUFPOOL_MAX_SIZE=64Q
// Stderr: BUFPOOL_MAX_SIZE=64Q
#include "tests/programs/promise.h"

int main() {
  puts("main");
  return 0;
}
