// SPDX-License-Identifier: MIT
// Promise: a pointer into a buffer that is freed or resized ends the program with its address.
// Exit: signal 6
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*\1\b.*inside
// Run: near
// Args: 70000 16 free
// Run: line
// Args: 70000 64 free
// Run: page
// Args: 70000 4096 free
// Run: odd
// Args: 70000 1 free
// Run: last
// Args: 70000 69999 free
// Run: small
// Args: 600 16 free
// Run: resized
// Args: 70000 64 100000
// Run: resized_in_place
// Args: 70000 64 69000
#include <string_view>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  auto* memory = promise::get(static_cast<std::size_t>(atol(arguments[1])));
  memset(memory, 0x41, static_cast<std::size_t>(atol(arguments[1])));
  char* inner = memory + atol(arguments[2]);
  dprintf(STDERR_FILENO, "told %p\n", static_cast<void*>(inner));
  if (std::string_view(arguments[3]) == "free") promise::put(inner);
  const auto size = static_cast<std::size_t>(atol(arguments[3]));
  promise::keep(realloc(promise::hide(inner), promise::hide(size)) == nullptr, "never");
}
