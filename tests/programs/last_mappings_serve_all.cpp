// SPDX-License-Identifier: MIT
// Promise: in a process that has a few mappings left requests of all sizes are served, because
//   mapped ranges become larger. The same holds afterwards, and once mappings come free.
// Run: one
// Args: 1
// Run: some
// Args: 20
#include <array>

#include "tests/programs/mappings.h"

namespace {

constexpr std::size_t kLargest = 120'000;
std::array<void*, 2000> held;

void ask() {
  for (std::size_t i = 0; i < held.size(); ++i) {
    const std::size_t bytes = 16 + i * 7919 % kLargest;
    held[i] = promise::get<void>(bytes);
    promise::fill(held[i], bytes < 64 ? bytes : 64, static_cast<unsigned>(i));
    if (i % 4 != 0) continue;
    held[i] = realloc(promise::hide(held[i]), promise::hide(bytes + 300));
    promise::keep(held[i] != nullptr, "realloc");
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    promise::keep(promise::holds(held[i], 16, static_cast<unsigned>(i)), "whole");
    promise::put(held[i]);
  }
}

}  // namespace

int main(int, char** arguments) {
  promise::UsedUpMappings mappings;
  // Most programs' largest class is known before mappings are short, and so is this one's.
  promise::use(kLargest + 5000);
  mappings.use_all_but(strtoul(arguments[1], nullptr, 10));
  for (int round = 0; round < 3; ++round) ask();
  mappings.free_all();
  ask();
}
