// SPDX-License-Identifier: MIT
// Promise: malloc_info writes one XML element named malloc to the stream that it is given, and
//   refuses options with EINVAL.
// Stdout: (?s)\A<malloc version="[^"]*">.*</malloc>\s*\Z
#include <malloc.h>

#include "tests/programs/promise.h"

int main() {
  promise::use(70000, 200);
  promise::keep(malloc_info(0, stdout) == 0, "malloc_info");
  promise::keep(malloc_info(1, stdout) == EINVAL, "options are refused");
}
