// SPDX-License-Identifier: MIT
// Promise: the report goes to the file that was named when the program started, whatever the
//   program has done to its environment since.
// Env: BUFPOOL_REPORT={tmp}/report.txt
// File: report\.txt (?i)bufpool
// No-file: elsewhere.*
#include "tests/programs/promise.h"

int main() {
  promise::use(70000, 150);
  memset(getenv("BUFPOOL_REPORT"), 'x', 20);
  setenv("BUFPOOL_REPORT", "elsewhere.txt", 1);
  clearenv();
  promise::use(70000, 150);
}
