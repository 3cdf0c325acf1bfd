// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_ZERO=alloc what realloc adds to a buffer holds nothing of a buffer
//   before it.
// Needs: library
// Env: BUFPOOL_ZERO=alloc
#include <malloc.h>
#include "tests/programs/promise.h"
int main() {
  void* dirty = promise::get<void>(70'000);
  memset(dirty, 0xa5, malloc_usable_size(dirty));
  promise::put(dirty);
  auto* memory = static_cast<char*>(realloc(promise::get<void>(1000), promise::hide(70'000UL)));
  promise::keep(promise::is_zero(memory, 70'000), "nothing of another buffer is in it");
}
