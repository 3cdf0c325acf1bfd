// SPDX-License-Identifier: MIT
// Promise: in a process that has next to no mappings left a large buffer still grows by realloc and
//   keeps its contents. What it left is used again, and rounds of that do not add up.
// Run: none
// Args: 0
// Run: one
// Args: 1
// Run: two
// Args: 2
#include "tests/programs/mappings.h"
#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kSmall = 30 * promise::kMiB;
constexpr std::size_t kLarge = 100 * promise::kMiB;

void grow_once(unsigned seed) {
  char* memory = promise::get(kSmall);
  promise::fill(memory, kSmall, seed);
  memory = static_cast<char*>(realloc(promise::hide(memory), promise::hide(kLarge)));
  promise::keep(memory != nullptr, "it grows");
  promise::keep(promise::holds(memory, kSmall, seed), "its contents are whole");
  promise::fill(memory, kLarge, seed + 1);
  promise::put(memory);
}

std::size_t mapped_bytes() {
  return promise::FileText<4096>("/proc/self/status").number("VmSize:") << 10;
}

}  // namespace

int main(int, char** arguments) {
  promise::UsedUpMappings mappings;
  for (unsigned i = 0; i < 2; ++i) grow_once(i);
  mappings.use_all_but(strtoul(arguments[1], nullptr, 10));
  const std::size_t before = mapped_bytes();
  for (unsigned i = 0; i < 6; ++i) grow_once(i);
  // One block may be lost before the pool knows.
  promise::keep(mapped_bytes() < before + 5 * kLarge / 2, "rounds do not add up");
}
