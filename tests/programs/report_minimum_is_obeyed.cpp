// SPDX-License-Identifier: MIT
// Promise: the report comes from BUFPOOL_REPORT_MIN gets on, and not below.
// Env: -BUFPOOL_REPORT
// Run: above
// Env: BUFPOOL_REPORT_MIN=200
// Stderr: (?i)bufpool
// Run: below
// Env: BUFPOOL_REPORT_MIN=5000
#include "tests/programs/promise.h"

int main() { promise::use(70000, 500); }
