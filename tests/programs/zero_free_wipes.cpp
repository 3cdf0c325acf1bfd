// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_ZERO=free nothing of a buffer's contents is left once it is freed, or moved
//   by realloc. This holds for an aligned buffer, too.
// Needs: library
// Env: BUFPOOL_ZERO=free BUFPOOL_TRIMMER=off
#include <malloc.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::array<std::size_t, 11> kPooled = {
    512, 600, 1000, 4096, 16'404, 65'536, 100'000, 800'000, 1 << 20, 3'000'000, 16 << 20};

// Checks that the next buffer of the size is the one that was freed last, and zero.
void expect_wiped(const void* freed, std::size_t bytes) {
  void* again = promise::get<void>(bytes);
  promise::keep(again == freed, "the last one freed comes first");
  promise::keep(promise::is_zero(again, malloc_usable_size(again)), "nothing is left in it");
  promise::put(again);
}

void* secret(std::size_t bytes) {
  void* memory = promise::get<void>(bytes);
  return memset(memory, 0xa5, malloc_usable_size(memory));
}

}  // namespace

int main() {
  promise::move_to_cpu(false);
  for (const std::size_t bytes : kPooled) {
    for (int round = 0; round < 3; ++round) {
      void* memory = secret(bytes);
      promise::put(memory);
      expect_wiped(memory, bytes);

      memory = secret(bytes);
      void* grown = realloc(promise::hide(memory), promise::hide(2 * bytes + 200));
      promise::keep(grown != memory, "it had to move");
      promise::keep(static_cast<unsigned char*>(grown)[bytes - 1] == 0xa5, "with its contents");
      expect_wiped(memory, bytes);
      promise::put(grown);
    }
  }
  for (const std::size_t alignment : {64UL, 256UL, 4096UL}) {
    void* memory = aligned_alloc(alignment, promise::hide(20'480UL));
    memset(memory, 0xa5, 20'480);
    promise::put(memory);
    void* again = aligned_alloc(alignment, promise::hide(20'480UL));
    promise::keep(again == memory && promise::is_zero(again, 20'480), "aligned ones are wiped too");
    promise::put(again);
  }
}
