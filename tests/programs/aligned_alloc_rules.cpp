// SPDX-License-Identifier: MIT
// Promise: aligned_alloc takes sizes that are no multiple of the alignment, for every size. An
//   alignment that is too large to be served is refused with NULL and a reason.
#include <cstdint>

#include "tests/programs/promise.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) {
    for (std::size_t alignment = 1; alignment <= 8192; alignment *= 2) {
      void* memory = aligned_alloc(promise::hide(alignment), promise::hide(bytes));
      promise::keep(memory != nullptr && promise::is_aligned(memory, alignment), "aligned");
      promise::keep(promise::end_holds(memory, bytes, 2), "that holds");
      promise::put(memory);
    }
  }
  for (const std::size_t alignment : {1UL << 63, (1UL << 63) + 4096, SIZE_MAX}) {
    errno = 0;
    promise::keep(aligned_alloc(promise::hide(alignment), 100) == nullptr, "NULL");
    promise::keep(errno == EINVAL || errno == ENOMEM, "and a reason");
  }
}
