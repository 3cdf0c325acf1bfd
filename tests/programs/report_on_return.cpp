// SPDX-License-Identifier: MIT
// Promise: a program that returns from main has one report, and it parses.
// Reports: 1
// Class: 200000 gets=150 puts=150 in_use=0
#include "tests/programs/promise.h"

int main() { promise::use(200000, 150); }
