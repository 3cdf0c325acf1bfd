// SPDX-License-Identifier: MIT
// Promise: zeros that are written past the end of a buffer into the next one are told as an
//   overrun, with the call that found them. They are not told as a second free.
// Exit: signal 6
// Run: freed
// Args: 1024 0
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*overrun.* free of \1\b
// Run: resized
// Args: 1024 5000
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*overrun.* realloc of \1\b
// Run: resized_in_place
// Args: 70000 69000
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*overrun.* realloc of \1\b
#include <malloc.h>

#include <algorithm>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  const auto bytes = static_cast<std::size_t>(atol(arguments[1]));
  const auto size = static_cast<std::size_t>(atol(arguments[2]));
  std::array<char*, 64> held{};
  for (char*& memory : held) memory = promise::get(bytes);
  std::sort(held.begin(), held.end());
  const std::size_t usable = malloc_usable_size(held[0]);
  for (std::size_t i = 1; i < held.size(); ++i) {
    if (held[i] - held[i - 1] > static_cast<std::ptrdiff_t>(usable + 256)) continue;
    dprintf(STDERR_FILENO, "told %p\n", static_cast<void*>(held[i]));
    memset(promise::hide(held[i - 1]), 0, usable + 8);
    if (size == 0) promise::put(held[i]);
    promise::keep(realloc(promise::hide(held[i]), promise::hide(size)) == nullptr, "never");
  }
  promise::keep(false, "two buffers are neighbours");
}
