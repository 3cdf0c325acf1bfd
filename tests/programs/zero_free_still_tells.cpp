// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_ZERO=free a second free is told as ever. An overrun is told, too.
// Env: BUFPOOL_ZERO=free
// Exit: signal 6
// Run: twice
// Args: 70000 0
// Stderr: (?i)double free
// Run: small
// Args: 600 0
// Stderr: (?i)double free
// Run: large
// Args: 3000000 0
// Stderr: (?i)double free
// Run: overrun
// Args: 70000 1
// Stderr: (?i)overrun
#include <malloc.h>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  const auto bytes = static_cast<std::size_t>(atol(arguments[1]));
  std::array<char*, 8> held{};
  for (char*& memory : held) memory = promise::get(bytes);
  if (atoi(arguments[2]) != 0) {
    for (char* memory : held) memset(memory + malloc_usable_size(memory), 0x41, 16);
  }
  for (char* memory : held) promise::put(memory);
  promise::put(held[3]);
}
