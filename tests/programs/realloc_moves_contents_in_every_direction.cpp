// SPDX-License-Identifier: MIT
// Promise: realloc keeps the contents from any size to any other: small, pooled, large, up, down,
//   and from aligned memory.
#include <malloc.h>

#include <algorithm>

#include "tests/programs/promise.h"

namespace {

void expect_kept(void* memory, std::size_t from, std::size_t to) {
  const std::size_t kept = std::min(from, to);
  promise::fill(memory, kept, static_cast<unsigned>(to));
  void* moved = realloc(promise::hide(memory), promise::hide(to));
  promise::keep(moved != nullptr && malloc_usable_size(moved) >= to, "of the new size");
  promise::keep(promise::holds(moved, kept, static_cast<unsigned>(to)), "contents are kept");
  // That all of a buffer can be written is another promise; touching its end is enough here.
  const std::size_t end = std::min<std::size_t>(to, 1 << 18);
  memset(static_cast<char*>(moved) + to - end, 7, end);
  promise::put(moved);
}

}  // namespace

int main() {
  for (const std::size_t from : promise::kSizes) {
    for (const std::size_t to : promise::kSizes) {
      expect_kept(promise::get<void>(from), from, to);
      if (from < 100000) expect_kept(memalign(1024, promise::hide(from)), from, to);
    }
  }
}
