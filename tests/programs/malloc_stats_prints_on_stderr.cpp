// SPDX-License-Identifier: MIT
// Promise: malloc_stats prints on stderr, at once, and nothing on stdout. It ends as glibc's does.
// Stderr: (?s)\d.*system bytes     = +\d{5,}\n.*max mmap bytes   = +\d.*after
#include <malloc.h>

#include "tests/programs/promise.h"

int main() {
  promise::use(70000, 200);
  malloc_stats();
  dprintf(STDERR_FILENO, "after\n");
}
