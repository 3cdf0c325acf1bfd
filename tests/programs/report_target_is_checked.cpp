// SPDX-License-Identifier: MIT
// Promise: a BUFPOOL_REPORT that cannot be meant is told, and the report goes to stderr. One is
//   stdout, to which the library writes nothing. Another is a percent sign without a word. With
//   BUFPOOL_STRICT it is fatal.
// No-file: .*
// Run: stdout
// Env: BUFPOOL_REPORT=stdout
// Stderr: (?s)^bufpool: BUFPOOL_REPORT=stdout: not stderr, off or a file.*using stderr$.*mode
// Run: percent
// Env: BUFPOOL_REPORT=%d.txt
// Stderr: (?s)^bufpool: BUFPOOL_REPORT=%d.txt: not stderr, off or a file.*using stderr$.*mode
// Run: strict
// Env: BUFPOOL_REPORT=stdout BUFPOOL_STRICT=1
// Exit: 78
// Stderr: BUFPOOL_REPORT=stdout
// Run: quiet
// Env: BUFPOOL_REPORT=stdout BUFPOOL_QUIET=1
// Stderr-not: BUFPOOL_REPORT
#include "tests/programs/promise.h"

int main() { promise::use(70000, 150); }
