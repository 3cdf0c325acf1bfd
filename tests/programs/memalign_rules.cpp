// SPDX-License-Identifier: MIT
// Promise: memalign rounds an odd alignment up to a power of two, takes 0, and refuses with EINVAL
//   an alignment that no power of two reaches, as in glibc.
#include <malloc.h>

#include <bit>
#include <cstdint>

#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) {
    for (const std::size_t alignment : {0UL, 1UL, 2UL, 3UL, 8UL, 24UL, 48UL, 100UL, 3000UL}) {
      void* memory = memalign(promise::hide(alignment), promise::hide(bytes));
      const std::size_t least = std::bit_ceil(alignment < 16 ? 16 : alignment);
      promise::keep(memory != nullptr, "memory");
      promise::keep(promise::is_aligned(memory, least), "aligned to the next power of two");
      promise::keep(promise::end_holds(memory, bytes, 1), "that holds");
      promise::put(memory);
    }
  }
  for (const std::size_t alignment : {(1UL << 63) + 1, SIZE_MAX}) {
    errno = 0;
    promise::keep(memalign(promise::hide(alignment), 100) == nullptr, "NULL");
    promise::keep(errno == EINVAL, "and EINVAL");
  }
}
