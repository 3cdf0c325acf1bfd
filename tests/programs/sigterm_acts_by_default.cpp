// SPDX-License-Identifier: MIT
// Promise: SIGTERM ends a process that has no handler for it at once, by the signal and without a
//   report. A process whose handler ends it by _exit reports.
// Needs: library
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_MIN=1
// Run: default
// Exit: signal 15
// Args: default
// Run: handled
// Exit: 3
// Args: handled
// Stderr: mode (rseq|locked)
#include <signal.h>
#include <unistd.h>

#include <string_view>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  promise::use(70000, 100);
  if (std::string_view(arguments[1]) == "handled") signal(SIGTERM, [](int) { _exit(3); });
  raise(SIGTERM);
  return 1;
}
