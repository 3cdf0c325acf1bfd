// SPDX-License-Identifier: MIT
// Promise: malloc_stats prints on stderr, at once, and nothing on stdout.
// Stderr: (?s)\d.*after
#include <malloc.h>

#include "tests/programs/promise.h"

int main() {
  promise::use(70000, 200);
  malloc_stats();
  dprintf(STDERR_FILENO, "after\n");
}
