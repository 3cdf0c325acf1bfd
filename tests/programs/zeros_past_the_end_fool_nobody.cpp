// SPDX-License-Identifier: MIT
// Promise: calloc hands out zeros even if the program wrote zeros past the end of a buffer, over
//   the line in front of a free one.
// Needs: library
// Run: small
// Args: 600
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
  for (char*& memory : held) memory = static_cast<char*>(memset(promise::get(bytes), 0xee, bytes));
  std::sort(held.begin(), held.end());
  for (std::size_t i = 1; i < held.size(); i += 2) promise::put(held[i]);
  for (std::size_t i = 0; i < held.size(); i += 2) {
    memset(held[i], 0, malloc_usable_size(held[i]) + 8);
  }
  for (int i = 0; i < 100; ++i) {
    const void* memory = calloc(1, promise::hide(bytes));
    promise::keep(memory != nullptr && promise::is_zero(memory, bytes), "zero");
  }
}
