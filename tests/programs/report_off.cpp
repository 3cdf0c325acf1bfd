// SPDX-License-Identifier: MIT
// Promise: BUFPOOL_REPORT=off keeps the library silent.
#include "tests/programs/promise.h"

int main() { promise::use(70000, 500); }
