// SPDX-License-Identifier: MIT
// Promise: calloc's memory is zero, also if it was dirty before it was freed. It does not matter
//   whether it was given back to the system.
#include <malloc.h>

#include "tests/programs/promise.h"

namespace {

void expect_zero(std::size_t bytes, bool trimmed) {
  std::array<void*, 3> held{};
  for (void*& memory : held) {
    memory = promise::get<void>(bytes);
    memset(memory, 0xa5, malloc_usable_size(memory));
  }
  for (void* memory : held) promise::put(memory);
  if (trimmed) malloc_trim(0);
  for (void*& memory : held) {
    memory = calloc(promise::hide(1UL), promise::hide(bytes));
    promise::keep(memory != nullptr && promise::is_zero(memory, bytes), "zero");
    memset(memory, 0x5a, bytes);
  }
  for (void* memory : held) promise::put(memory);
}

}  // namespace

int main() {
  for (const std::size_t bytes : promise::kSizes) {
    for (int round = 0; round < 4; ++round) expect_zero(bytes, round == 2);
  }
  for (std::size_t bytes = 1; bytes < (1 << 20); bytes += bytes / 5 + 1) expect_zero(bytes, false);
}
