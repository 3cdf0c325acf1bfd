// SPDX-License-Identifier: MIT
// Promise: realloc of NULL is malloc, for every size.
#include <malloc.h>

#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) {
    void* memory = realloc(promise::hide<void*>(nullptr), promise::hide(bytes));
    promise::keep(memory != nullptr && promise::is_aligned(memory, 16), "aligned memory");
    promise::keep(malloc_usable_size(memory) >= bytes, "of the size");
    promise::fill(memory, bytes, 1);
    promise::keep(promise::holds(memory, bytes, 1), "that holds");
    promise::put(memory);
  }
}
