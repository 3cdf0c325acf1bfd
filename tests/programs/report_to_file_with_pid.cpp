// SPDX-License-Identifier: MIT
// Promise: the report goes to a file with the process's command and id in its name, and nowhere
//   else.
// Env: BUFPOOL_REPORT={tmp}/%c.%p
// File: report_to_file_\w*\.{pid} (?i)bufpool
#include "tests/programs/promise.h"

int main() { promise::use(70000, 150); }
