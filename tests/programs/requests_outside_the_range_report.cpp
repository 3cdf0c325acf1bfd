// SPDX-License-Identifier: MIT
// Promise: a program that makes many requests above the range, or very many below it, reports
//   though it used no buffers, and is told what the pool does for it. A program that makes few of
//   them says nothing.
// Needs: library
// Env: -BUFPOOL_REPORT
// Run: above
// Args: 1100000000 100
// Stderr: passed to mimalloc: \d+ below the range, 100 above it
// Stderr: does nothing for this program: .* 100 above
// Run: nearly-above
// Args: 1100000000 99
// Run: below
// Args: 100 100300
// Stderr: passed to mimalloc: 100\d\d\d below the range, 0 above it
// Stderr: does nothing for this program: 100\d\d\d requests
// Run: nearly-below
// Args: 100 90000
// Run: minimum
// Args: 100 20300
// Env: BUFPOOL_REPORT_MIN=20
// Stderr: passed to mimalloc: 20\d\d\d below the range
// Run: largest-minimum
// Args: 100 200000
// Env: BUFPOOL_REPORT_MIN=18446744073709551615
// Run: none
// Env: BUFPOOL_REPORT_MIN=0
// Args: 100 1
// Stderr: passed to mimalloc
#include "tests/programs/promise.h"

int main(int, char** arguments) {
  const std::size_t bytes = strtoul(arguments[1], nullptr, 10);
  const int count = atoi(arguments[2]);
  for (int i = 0; i < count; ++i) promise::put(promise::get<void>(bytes));
}
