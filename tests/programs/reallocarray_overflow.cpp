// SPDX-License-Identifier: MIT
// Promise: reallocarray of a product that does not fit returns NULL with ENOMEM and keeps the old
//   block. A product that fits moves the contents.
#include <cstdint>

#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) {
    void* memory = promise::get<void>(bytes);
    promise::fill(memory, bytes, 3);
    errno = 0;
    void* none = reallocarray(memory, promise::hide(SIZE_MAX / 2), promise::hide(3UL));
    promise::keep(none == nullptr && errno == ENOMEM, "NULL and ENOMEM");
    promise::keep(promise::holds(memory, bytes, 3), "the old block is whole");
    memory = reallocarray(memory, promise::hide(bytes), promise::hide(3UL));
    promise::keep(memory != nullptr && promise::holds(memory, bytes, 3), "contents move along");
    promise::put(memory);
  }
}
