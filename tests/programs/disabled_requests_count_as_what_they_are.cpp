// SPDX-License-Identifier: MIT
// Promise: without a pool a request counts as below, within or above the range it would have had.
// Needs: library
// Modes: auto
// Env: -BUFPOOL_REPORT BUFPOOL_DISABLE=1 BUFPOOL_REPORT_MIN=0 BUFPOOL_REPORT_FORMAT=json
// Run: whole-range
// Stderr: "passed_above_requests": 30,\s+"passed_within_requests": 47\d,
// Run: smaller-range
// Env: BUFPOOL_MIN_SIZE=8K BUFPOOL_MAX_SIZE=64K
// Stderr: "passed_above_requests": 330,\s+"passed_within_requests": 7\d,
#include "tests/programs/promise.h"

int main() {
  promise::use(1000, 100);  // below a range that begins at 8K
  promise::use(16000, 70);
  promise::use(1 << 20, 300);
  promise::use(1100 << 20, 10);
  for (int i = 0; i < 20; ++i) promise::put(promise::hide(calloc(1, 1100 << 20)));
}
