// SPDX-License-Identifier: MIT
// Promise: a buffer that one thread frees and then another ends the program with its address.
// Exit: signal 6
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*double free of \1\b
#include <thread>

#include "tests/programs/promise.h"

int main() {
  void* memory = promise::get<void>(70000);
  dprintf(STDERR_FILENO, "told %p\n", memory);
  std::thread([memory] { promise::put(memory); }).join();
  std::thread([memory] { promise::put(memory); }).join();
}
