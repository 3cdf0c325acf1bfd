// SPDX-License-Identifier: MIT
// Promise: without BUFPOOL_REPORT_MIN a short program reports from 1,000 gets on if it holds much,
//   and from 100 gets on into a file that BUFPOOL_REPORT names. With less it says nothing.
// Needs: library
// Env: -BUFPOOL_REPORT
// Run: much
// Args: 1100 40
// Stderr: bufpool
// Run: little
// Args: 1100 1
// Run: much-but-few
// Args: 500 40
// Run: file
// Args: 150 1
// Env: BUFPOOL_REPORT={tmp}/report
// File: report bufpool
// Run: file-but-few
// Args: 50 1
// Env: BUFPOOL_REPORT={tmp}/report
// No-file: report
#include "tests/programs/promise.h"

int main(int, char** arguments) {
  const int gets = atoi(arguments[1]);
  const int held = atoi(arguments[2]);
  for (int i = 0; i < held; ++i) promise::get<void>(std::size_t{1} << 20);
  for (int i = held; i < gets; ++i) promise::put(promise::get<void>(4096));
}
