// SPDX-License-Identifier: MIT
// Promise: all bytes of malloc_usable_size can be written, for every size, and no neighbour
//   changes.
#include <malloc.h>

#include "tests/programs/promise.h"

namespace {

void expect_apart(std::size_t bytes) {
  std::array<void*, 5> held{};
  for (void*& memory : held) memory = promise::get<void>(bytes);
  for (unsigned i = 0; i < held.size(); ++i) {
    const std::size_t usable = malloc_usable_size(held[i]);
    promise::keep(usable >= bytes && usable <= 2 * bytes + 8192, "usable is plausible");
    promise::fill(held[i], usable, i);
  }
  for (unsigned i = 0; i < held.size(); ++i) {
    promise::keep(promise::holds(held[i], malloc_usable_size(held[i]), i), "neighbours intact");
  }
  for (void* memory : held) promise::put(memory);
}

}  // namespace

int main() {
  for (const std::size_t bytes : promise::kSizes) expect_apart(bytes);
  for (std::size_t bytes = 1; bytes < (1 << 20); bytes += bytes / 6 + 1) expect_apart(bytes);
  promise::keep(malloc_usable_size(promise::hide<void*>(nullptr)) == 0, "nothing of NULL");
}
