// SPDX-License-Identifier: MIT
// Promise: in a program that is started without descriptors 0, 1 and 2 the library takes none of
//   them. So nothing that it writes lands in a file of the program.
// Closed: 0 1 2
// Run: silent
// Run: reporting
// Env: -BUFPOOL_REPORT BUFPOOL_VERBOSE=1 BUFPOOL_REPROT=typo
// File: data\.txt \A\Z
#include <fcntl.h>

#include "tests/programs/promise.h"

int main() {
  for (int descriptor = 0; descriptor < 3; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) != -1) _exit(2);
  }
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 20);
  for (int descriptor = 0; descriptor < 3; ++descriptor) {
    if (open("data.txt", O_CREAT | O_WRONLY | O_APPEND, 0644) != descriptor) _exit(3);
  }
}
