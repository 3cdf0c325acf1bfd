// SPDX-License-Identifier: MIT
// Promise: a process may write over its arguments to show another title, as nginx and postgres do.
//   The report has the name that it was started by, and so has its child's.
// Env: BUFPOOL_REPORT={tmp}/%c.%p
// File: report_names_the_command_as_started\.{pid} (?s)bufpool\[\d+ report_names_the_com.*what to
// File: report_names_the_command_as_started\.(?!{pid}$)\d+ bufpool\[\d+ report_names_the_com
// No-file: x.*
#include <sys/wait.h>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  promise::use(70000, 150);
  memset(arguments[0], 'x', strlen(arguments[0]));
  const pid_t child = fork();
  if (child == 0) promise::use(70000, 150);
  if (child != 0) promise::keep(waitpid(child, nullptr, 0) == child, "the child ends");
}
