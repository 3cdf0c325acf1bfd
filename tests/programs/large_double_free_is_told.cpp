// SPDX-License-Identifier: MIT
// Promise: a buffer above 16 MiB that is freed twice, or resized after its free, ends the program
//   with its address. It may have been that large at once, or have grown.
// Exit: signal 6
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*double free of \1\b
// Run: large
// Args: 20 20 free
// Run: largest
// Args: 1024 1024 free
// Run: grown
// Args: 12 40 free
// Run: grown_much
// Args: 1 300 free
// Run: resized
// Args: 40 40 50
#include <string_view>

#include "tests/programs/memory.h"

int main(int, char** arguments) {
  const std::size_t first = strtoul(arguments[1], nullptr, 10);
  const std::size_t last = strtoul(arguments[2], nullptr, 10);
  void* memory = promise::get<void>(first * promise::kMiB);
  memset(memory, 1, promise::kMiB);
  for (std::size_t size = first; size < last; size = std::min(2 * size, last)) {
    const std::size_t bytes = std::min(2 * size, last) * promise::kMiB;
    memory = realloc(promise::hide(memory), promise::hide(bytes));
    promise::keep(memory != nullptr, "it grows");
  }
  dprintf(STDERR_FILENO, "told %p\n", memory);
  promise::put(memory);
  if (std::string_view(arguments[3]) == "free") promise::put(memory);
  const std::size_t size = strtoul(arguments[3], nullptr, 10) * promise::kMiB;
  promise::keep(realloc(promise::hide(memory), promise::hide(size)) == nullptr, "never");
}
