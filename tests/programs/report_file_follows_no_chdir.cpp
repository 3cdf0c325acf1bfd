// SPDX-License-Identifier: MIT
// Promise: a relative report file is where the program was started, wherever it has gone since, and
//   the name is that of the start, whatever it did to its environment.
// Env: BUFPOOL_REPORT=report.txt
// File: report\.txt (?i)bufpool
#include "tests/programs/promise.h"

int main() {
  promise::use(70000, 150);
  setenv("BUFPOOL_REPORT", "elsewhere.txt", 1);
  promise::keep(chdir("/") == 0, "chdir");
}
