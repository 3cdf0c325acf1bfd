// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_CLASSES a request gets the smallest listed class that holds it, and a
//   request above the list is passed on. Memory that the library sets aside for itself counts
//   nowhere.
// Env: BUFPOOL_CLASSES=4K,64K,1M
// Reports: 1
// Class: 64K gets=250
// Class: 1M gets=100
// Class: 5000 gets=0
// Class: 4M gets=0
#include "tests/programs/promise.h"

int main() {
  promise::use(64 << 10, 150);
  promise::use(30000, 100);
  promise::use(300000, 100);
  promise::use(4 << 20, 100);
}
