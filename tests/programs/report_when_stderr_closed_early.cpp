// SPDX-License-Identifier: MIT
// Promise: a program that closes stderr at exit, as the coreutils do, still has its report. It is
//   the descriptor that counts, and not where the variable `stderr` leads.
// Reports: 1
// Class: 200000 gets=150
// Run: closed
// Args: closed
// Run: closed_under_another
// Args: closed_under_another
// Run: another_closed
// Args: another_closed
#include <string_view>

#include "tests/programs/promise.h"

namespace {

std::FILE* const first = stderr;

void close_streams() {
  fclose(stdout);
  fclose(first);
}

}  // namespace

int main(int, char** arguments) {
  const std::string_view how = arguments[1];
  if (how != "closed") stderr = fopen("/dev/null", "w");
  if (how == "another_closed") {
    promise::use(200000, 50);
    fclose(stderr);
    stderr = first;
    promise::use(200000, 100);
  } else {
    atexit(close_streams);
    promise::use(200000, 150);
  }
}
