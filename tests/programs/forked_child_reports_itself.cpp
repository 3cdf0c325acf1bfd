// SPDX-License-Identifier: MIT
// Promise: a forked child has counts and a report of its own. What it inherited is in use, and not
//   got.
// Reports: 2
// Class: 200000 gets=120 in_use=120
#include "tests/programs/workers.h"

int main() {
  std::array<void*, 120> held{};
  for (void*& memory : held) memory = promise::get<void>(200000);
  const pid_t child = fork();
  if (child != 0) {
    promise::expect_good_end(child);
    return 0;
  }
  for (void*& memory : held) {
    void* next = promise::get<void>(200000);
    promise::put(memory);
    memory = next;
  }
}
