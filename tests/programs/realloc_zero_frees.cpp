// SPDX-License-Identifier: MIT
// Promise: realloc to nothing frees and returns NULL, for every size, and memory does not grow.
// Limit: data=1G
#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) {
    for (int i = 0; i < promise::rounds_without_room(bytes); ++i) {
      char* memory = promise::get(bytes);
      memory[0] = 1;
      errno = 0;
      promise::keep(realloc(promise::hide(memory), promise::hide(0UL)) == nullptr, "NULL");
      promise::keep(errno == 0, "errno is left alone");
    }
  }
  char* unlike = static_cast<char*>(realloc(nullptr, promise::hide(0UL)));
  promise::keep(unlike != nullptr, "realloc(NULL, 0) is malloc(0)");
  promise::put(unlike);
}
