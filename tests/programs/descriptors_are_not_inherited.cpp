// SPDX-License-Identifier: MIT
// Promise: a program that is executed finds no descriptor of the library. The program's own first
//   open gets the lowest number.
// Env: -BUFPOOL_REPORT
// Stderr-not: not kept
#include <fcntl.h>

#include "tests/programs/promise.h"

int main(int count, char**) {
  promise::use(70000, 150);
  for (int descriptor = 3; count == 2 && descriptor < 1024; ++descriptor) {
    promise::keep(fcntl(descriptor, F_GETFD) == -1, "no descriptor is inherited");
  }
  promise::keep(open("/dev/null", O_RDONLY | O_CLOEXEC) == 3, "the first open gets 3");
  if (count == 2) return 0;
  unsetenv("LD_PRELOAD");
  execl("/proc/self/exe", "again", "child", nullptr);
  return 1;
}
