// SPDX-License-Identifier: MIT
// Promise: valloc is aligned to a page. pvalloc is aligned to a page and rounded up to whole pages.
#include <malloc.h>

#include <cstdint>

#include "tests/programs/promise.h"

int main() {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (const std::size_t bytes : promise::kSizes) {
    void* plain = valloc(promise::hide(bytes));
    void* whole = pvalloc(promise::hide(bytes));
    promise::keep(plain != nullptr && promise::is_aligned(plain, page), "valloc");
    promise::keep(whole != nullptr && promise::is_aligned(whole, page), "pvalloc");
    const std::size_t rounded = (bytes + page - 1) / page * page;
    promise::keep(malloc_usable_size(whole) >= rounded, "pvalloc rounds up");
    promise::fill(whole, rounded, 1);
    promise::fill(plain, bytes, 2);
    promise::keep(promise::holds(whole, rounded, 1), "pvalloc's holds");
    promise::put(plain);
    promise::put(whole);
  }
  void* nothing = pvalloc(promise::hide(0UL));
  promise::keep(nothing != nullptr && promise::is_aligned(nothing, page), "pvalloc(0)");
  promise::put(nothing);
}
