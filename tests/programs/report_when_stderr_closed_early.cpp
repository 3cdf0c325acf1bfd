// SPDX-License-Identifier: MIT
// Promise: a program that closes stderr at exit, as the coreutils do, still has its report.
// Reports: 1
// Class: 200000 gets=150
#include "tests/programs/promise.h"

namespace {

void close_streams() {
  fclose(stdout);
  fclose(stderr);
}

}  // namespace

int main() {
  atexit(close_streams);
  promise::use(200000, 150);
}
