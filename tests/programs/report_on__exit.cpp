// SPDX-License-Identifier: MIT
// Promise: a program that leaves by _exit or _Exit, from main or from a thread, has one report.
// Reports: 1
// Exit: 3
// Class: 200000 gets=150
// Run: main
// Args: main
// Run: c99
// Args: c99
// Run: thread
// Args: thread
#include <string_view>
#include <thread>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  const std::string_view how = arguments[1];
  promise::use(200000, 150);
  if (how == "main") _exit(3);
  if (how == "c99") _Exit(3);
  std::thread([] { _exit(3); }).join();
}
