// SPDX-License-Identifier: MIT
// Promise: a relative name of a report is one of the folder that the program was started in, also
//   if that folder's own name has percent signs.
// Env: BUFPOOL_REPORT=../report.txt
// File: report\.txt (?i)bufpool
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  if (getenv("STARTED_THERE") == nullptr) {
    promise::keep(mkdir("50%d%p%", 0700) == 0 && chdir("50%d%p%") == 0, "a folder is made");
    setenv("STARTED_THERE", "1", 1);
    execv("/proc/self/exe", arguments);
  }
  promise::keep(chdir("/") == 0, "the program goes elsewhere");
  promise::use(70000, 150);
}
