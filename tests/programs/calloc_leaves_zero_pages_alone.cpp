// SPDX-License-Identifier: MIT
// Promise: calloc neither wipes nor touches memory that is known to be zero, and the memory is zero
//   all the same. It may be new, or have been given back to the system.
// Needs: library
// Env: BUFPOOL_TRIMMER=off
// Run: plain
// Run: wiped BUFPOOL_ZERO=free
#include <malloc.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kBuffer = 16 * promise::kMiB;

void expect_untouched(std::size_t before, std::size_t dirty) {
  std::array<char*, 64> held{};
  for (char*& memory : held) {
    memory = static_cast<char*>(calloc(promise::hide(1UL), promise::hide(kBuffer)));
    promise::keep(memory != nullptr, "there is memory");
  }
  promise::keep(promise::grown_since(before) < dirty + 8 * promise::kMiB, "1 GiB costs nothing");
  for (std::size_t i = 0; i < held.size(); i += 16) {
    promise::keep(promise::is_zero(held[i], kBuffer), "and is zero");
    memset(held[i], 1, kBuffer);
  }
  for (char* memory : held) promise::put(memory);
}

}  // namespace

int main() {
  const std::size_t before = promise::resident_bytes();
  expect_untouched(before, 0);
  malloc_trim(0);
  expect_untouched(before, 0);
  malloc_trim(0);
  { promise::Burst burst(30 * promise::kMiB, 70'000); }
  malloc_trim(0);
  const std::size_t calm = promise::resident_bytes();
  std::array<void*, 400> held{};
  for (void*& memory : held) memory = calloc(promise::hide(1UL), promise::hide(70'000UL));
  promise::keep(promise::grown_since(calm) < 12 * promise::kMiB, "smaller ones are touched little");
  for (void* memory : held) {
    promise::keep(memory != nullptr && promise::is_zero(memory, 70'000), "and zero too");
    promise::put(memory);
  }
}
