// SPDX-License-Identifier: MIT
// Promise: a vfork child that leaves by _exit prints no report, and its parent still has one.
// Run: child_only
// Env: -BUFPOOL_REPORT
// Exit: signal 9
// Args: killed
// Run: parent_too
// Reports: 1
// Class: 200000 gets=150
// Args: returns
#include <csignal>
#include <string_view>

#include "tests/programs/workers.h"

int main(int, char** arguments) {
  promise::use(200000, 150);
  const pid_t child = vfork();
  if (child == 0) _exit(0);
  promise::expect_good_end(child);
  if (std::string_view(arguments[1]) == "killed") raise(SIGKILL);
}
