// SPDX-License-Identifier: MIT
// Promise: after a bad value of MAX_SIZE and MIN_SIZE the pool serves what it serves by default.
// Env: BUFPOOL_MAX_SIZE=64Q BUFPOOL_MIN_SIZE=2G
// Reports: 1
// Class: 200000 gets=150
// Class: 16M gets=5
// Stderr: BUFPOOL_MAX_SIZE=64Q
// Stderr: BUFPOOL_MIN_SIZE=2G
#include "tests/programs/promise.h"

int main() {
  promise::use(200000, 150);
  promise::use(16 << 20, 5);
}
