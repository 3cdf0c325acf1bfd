// SPDX-License-Identifier: MIT
// Promise: without a pool the functions are there and do what the header says: figures of 0, a
//   report of them, nothing to trim or to warm up, and buffers of mimalloc.
// Needs: library
// Stdout: pass-through
// Run: disabled BUFPOOL_DISABLE=1
// Run: left_out BUFPOOL_SKIP=c_api_*
#include "include/bufpool/bufpool.h"
#include "tests/programs/promise.h"

using promise::keep;

int main() {
  promise::use(70000, 10);
  struct bufpool_snapshot all {};
  all.size = sizeof all;
  keep(bufpool_snapshot(&all) == 0 && all.size == sizeof all, "the process has figures");
  keep(all.mode == BUFPOOL_PASS_THROUGH && all.gets == 0 && all.budget == 0, "there is no pool");
  keep(all.passed_within >= 10 && all.resident > 0, "what is known is told");
  struct bufpool_class_snapshot row {};
  row.size = sizeof row;
  keep(bufpool_class_snapshot(0, &row) == ENOTSUP, "there are no classes");
  keep(bufpool_trim(0) == 0 && bufpool_warm_up(70000, 5) == 0, "nothing is kept");
  bufpool_reset_peaks();
  keep(bufpool_report(1, BUFPOOL_TEXT) == 0, "the report says so");
  void* const memory = bufpool_get(70000);
  promise::fill(memory, 70000, 1);
  bufpool_put(memory, 70000);
  keep(strlen(bufpool_version()) >= 5, "the version is there");
}
