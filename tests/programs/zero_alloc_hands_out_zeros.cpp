// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_ZERO=alloc every pooled buffer that is handed out is zero, whatever its
//   memory held before.
// Needs: library
// Env: BUFPOOL_ZERO=alloc
#include <malloc.h>

#include <new>

#include "tests/programs/promise.h"

namespace {

constexpr std::array<std::size_t, 9> kPooled = {512,    600,     1000,    4096,    16'404,
                                                65'536, 100'000, 1 << 20, 16 << 20};

void expect_zero_then_dirty(void* memory, std::size_t bytes) {
  promise::keep(memory != nullptr && promise::is_zero(memory, bytes), "zero");
  memset(memory, 0xa5, malloc_usable_size(memory));
}

}  // namespace

int main() {
  for (int round = 0; round < 4; ++round) {
    for (const std::size_t bytes : kPooled) {
      std::array<void*, 5> held = {
          malloc(promise::hide(bytes)), calloc(1, promise::hide(bytes)),
          aligned_alloc(64, promise::hide(bytes)),
          aligned_alloc(4096, promise::hide(bytes)), operator new(promise::hide(bytes))};
      for (void* memory : held) expect_zero_then_dirty(memory, bytes);
      for (void* memory : held) promise::put(memory);
    }
    if (round == 2) malloc_trim(0);
  }
}
