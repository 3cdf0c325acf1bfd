// SPDX-License-Identifier: MIT
// Promise: if a buffer is written past its end into the next one, this is told when the next one is
//   freed.
// Exit: signal 6
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*overrun.*\1\b
// Run: page
// Args: 4096
// Run: middle
// Args: 70000
#include <malloc.h>

#include <algorithm>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  const auto bytes = static_cast<std::size_t>(atol(arguments[1]));
  std::array<char*, 64> held{};
  for (char*& memory : held) memory = promise::get(bytes);
  std::sort(held.begin(), held.end());
  const std::size_t reach = malloc_usable_size(held[0]) + 4096;
  for (std::size_t i = 1; i < held.size(); ++i) {
    if (held[i] - held[i - 1] > static_cast<std::ptrdiff_t>(reach)) continue;
    dprintf(STDERR_FILENO, "told %p\n", static_cast<void*>(held[i]));
    memset(promise::hide(held[i - 1]), 0x41, static_cast<std::size_t>(held[i] - held[i - 1]));
    promise::put(held[i]);
    promise::keep(false, "the overrun is told of");
  }
  promise::keep(false, "two buffers are neighbours");
}
