// SPDX-License-Identifier: MIT
// Promise: a buffer that is freed twice, or resized after its free, ends the program with its
//   address, at once or after other frees.
// Exit: signal 6
// Stderr: (?is)^told (0x[0-9a-f]+)$.*bufpool.*double free of \1\b
// Run: smallest
// Args: 600 0 free
// Run: page
// Args: 4096 0 free
// Run: middle
// Args: 70000 0 free
// Run: largest
// Args: 16777216 0 free
// Run: later
// Args: 70000 20 free
// Run: sampled
// Env: BUFPOOL_SAMPLE=4K
// Args: 16777216 0 free
// Run: resized_in_place
// Args: 70000 0 69000
// Run: resized_to_more
// Args: 70000 0 100000
#include <string_view>

#include "tests/programs/promise.h"

int main(int, char** arguments) {
  const auto bytes = static_cast<std::size_t>(atol(arguments[1]));
  promise::use(bytes, 10);
  void* memory = promise::get<void>(bytes);
  std::array<void*, 20> others{};
  for (void*& other : others) other = promise::get<void>(bytes);
  dprintf(STDERR_FILENO, "told %p\n", memory);
  promise::put(memory);
  for (int i = 0; i < atoi(arguments[2]); ++i) promise::put(others[static_cast<unsigned>(i)]);
  if (std::string_view(arguments[3]) == "free") promise::put(memory);
  const auto size = static_cast<std::size_t>(atol(arguments[3]));
  promise::keep(realloc(promise::hide(memory), promise::hide(size)) == nullptr, "never");
}
