// SPDX-License-Identifier: MIT
// Promise: a request below MIN_SIZE or above MAX_SIZE is not pooled. At the bounds it is.
// Env: BUFPOOL_MIN_SIZE=64K BUFPOOL_MAX_SIZE=256K
// Reports: 1
// Class: 50K gets=0
// Class: 200000 gets=150
// Class: 64K gets=151
// Class: 256K gets=152
// Class: 1M gets=0
#include "tests/programs/promise.h"

int main() {
  promise::use(50 << 10, 100);
  promise::use(200000, 150);
  promise::use(64 << 10, 151);
  promise::use(256 << 10, 152);
  promise::use(1 << 20, 100);
}
