// SPDX-License-Identifier: MIT
// Promise: memory is aligned as asked for every alignment from 8 to 2M and every size from 1 byte
//   to 1M, also if size and alignment are equal. So is its neighbour.
#include <malloc.h>

#include "tests/programs/promise.h"

namespace {

void expect_aligned(std::size_t alignment, std::size_t bytes) {
  std::array<void*, 6> held{};
  for (std::size_t i = 0; i < held.size(); ++i) {
    held[i] = i % 2 == 0 ? memalign(promise::hide(alignment), promise::hide(bytes))
                         : aligned_alloc(promise::hide(alignment), promise::hide(bytes));
    promise::keep(promise::is_aligned(held[i], alignment), "aligned as asked");
    promise::keep(held[i] != nullptr && malloc_usable_size(held[i]) >= bytes, "of the size");
    memset(held[i], static_cast<int>(i), bytes);
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    const auto* first = static_cast<const unsigned char*>(held[i]);
    promise::keep(first[0] == i && first[bytes - 1] == i, "neighbours do not overlap");
    promise::put(held[i]);
  }
}

}  // namespace

int main() {
  for (std::size_t alignment = 8; alignment <= (2 << 20); alignment *= 2) {
    for (std::size_t bytes = 1; bytes <= (1 << 20); bytes *= 2) {
      for (const std::size_t size : {bytes, bytes + 1, bytes + 20, bytes + bytes / 2}) {
        expect_aligned(alignment, size);
      }
    }
  }
}
