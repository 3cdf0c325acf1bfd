// SPDX-License-Identifier: MIT
// Promise: a program has one report, however many ways out it takes after each other.
// Reports: 1
// Exit: 5
// Class: 200000 gets=150
#include "tests/programs/promise.h"

namespace {

struct Static {
  ~Static() { _exit(5); }
} object;

void leave_again() { promise::use(9000); }

}  // namespace

int main() {
  atexit(leave_again);
  at_quick_exit(leave_again);
  promise::use(200000, 150);
  exit(4);
}
