// SPDX-License-Identifier: MIT
// Promise: a program that leaves by quick_exit has one report.
// Reports: 1
// Exit: 3
// Class: 200000 gets=150
#include "tests/programs/promise.h"

int main() {
  promise::use(200000, 150);
  quick_exit(3);
}
