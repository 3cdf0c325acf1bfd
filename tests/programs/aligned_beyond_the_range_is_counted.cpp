// SPDX-License-Identifier: MIT
// Promise: a request whose alignment leads out of the pooled range counts as one above the range. A
//   request with an alignment that a buffer has room for counts as a get.
// Needs: library
// Env: -BUFPOOL_REPORT BUFPOOL_REPORT_MIN=0 BUFPOOL_REPORT_FORMAT=json
// Stderr: "passed_above": 40,
// Stderr: "buffer_bytes": 196672, "gets": 7,
#include <malloc.h>

#include "tests/programs/promise.h"

int main() {
  for (int i = 0; i < 40; ++i) promise::put(promise::hide(memalign(512 << 20, 768 << 20)));
  for (int i = 0; i < 7; ++i) promise::put(promise::hide(memalign(1 << 16, 100 << 10)));
}
