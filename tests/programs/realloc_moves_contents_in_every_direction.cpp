// SPDX-License-Identifier: MIT
// Promise: realloc keeps the contents from any size to any other: small, pooled and large, up and
//   down, and from aligned memory.
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
  promise::keep(promise::end_holds(moved, to, 7), "all of it is there");
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
