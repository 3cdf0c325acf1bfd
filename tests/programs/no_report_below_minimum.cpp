// SPDX-License-Identifier: MIT
// Promise: a program that made few pooled gets says nothing.
// Env: -BUFPOOL_REPORT
#include "tests/programs/promise.h"

int main() { promise::use(70000, 50); }
