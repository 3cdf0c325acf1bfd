// SPDX-License-Identifier: MIT
// Promise: small requests of threads that have ended are counted, except for the last 1,023 of each
//   thread. A forked child counts its own from zero.
// Needs: library
// Env: -BUFPOOL_REPORT BUFPOOL_REPORT_MIN=0 BUFPOOL_REPORT_FORMAT=json
// Stderr: (?s)"passed_below_requests": 5\d\d,.*"passed_below_requests": 29[5-7]\d\d,
#include <sys/wait.h>

#include <thread>

#include "tests/programs/promise.h"

int main() {
  // Each thread tells 1 + 7 * 1024 of them in steps.
  for (int i = 0; i < 4; ++i) std::thread([] { promise::use(100, 8000); }).join();
  const pid_t child = fork();
  if (child == 0) {
    promise::use(100, 510);
    return 0;
  }
  promise::keep(waitpid(child, nullptr, 0) == child, "the child ends");
  promise::use(100, 900);
}
