// SPDX-License-Identifier: MIT
// Promise: under a limit of address space from 256 MiB up the pool serves all requests of the
//   range, and nothing is said of it.
// Reports: 1
// Class: 1K gets=4000 in_use=0
// Class: 16K gets=2000 in_use=0
// Class: 320K gets=100 in_use=0
// Class: 4M gets=4 in_use=0
// Run: quarter
// Limit: as=256M
// Run: half
// Limit: as=512M
// Run: one
// Limit: as=1G
// Run: four
// Limit: as=4G
#include "tests/programs/promise.h"

namespace {

std::array<void*, 4000> held;

// Holds so many of a size at once. Together they take as much as the smallest limit leaves.
void hold(std::size_t bytes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    held[i] = promise::get<void>(bytes);
    promise::fill(held[i], 64, static_cast<unsigned>(i));
  }
  for (std::size_t i = 0; i < count; ++i) {
    promise::keep(promise::holds(held[i], 64, static_cast<unsigned>(i)), "whole");
    promise::put(held[i]);
  }
}

}  // namespace

int main() {
  hold(1000, 4000);
  hold(16'000, 2000);
  hold(320'000, 100);
  hold(4 << 20, 4);
}
