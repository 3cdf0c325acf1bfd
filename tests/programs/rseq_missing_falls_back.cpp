// SPDX-License-Identifier: MIT
// Promise: if libc registers no restartable sequences, the pool works behind locks by itself.
// Env: GLIBC_TUNABLES=glibc.pthread.rseq=0
// Modes: auto
// Reports: 1
// Class: 200000 gets=150
// Stderr-not: not kept
#include <thread>

#include "tests/programs/promise.h"

int main() {
  promise::use(200000, 150);
  for (int i = 0; i < 20; ++i) std::thread([] { promise::use(70000, 100); }).join();
}
