// SPDX-License-Identifier: MIT
// Promise: a program that closes every descriptor and opens files of its own, as daemons do, finds
//   no report in them.
// Env: -BUFPOOL_REPORT BUFPOOL_REPORT_MIN=100
// File: data\.txt \A\Z
// Stderr-not: not kept
#include <fcntl.h>

#include "tests/programs/promise.h"

int main() {
  promise::use(70000, 150);
  close_range(0, ~0U, 0);
  for (int i = 0; i < 1000; ++i) {
    if (open("data.txt", O_CREAT | O_WRONLY | O_APPEND, 0644) < 0) break;
  }
  promise::use(70000, 150);
}
