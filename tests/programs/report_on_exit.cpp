// SPDX-License-Identifier: MIT
// Promise: by default a program that used the pool has a report on stderr after exit.
// Env: -BUFPOOL_REPORT
// Stderr: (?i)bufpool
// Stderr: (?i)hit
#include "tests/programs/promise.h"

int main() {
  promise::use(70000, 10000);
  exit(0);
}
