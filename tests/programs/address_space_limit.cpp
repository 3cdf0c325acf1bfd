// SPDX-License-Identifier: MIT
// Promise: under a limit of address space the program gets what the limit leaves. At the limit
//   requests fail with ENOMEM, and what was freed can be had again. The library says one line at
//   most.
// Stderr-not: (?s)\n.*\n|not kept
// Run: small
// Limit: as=300M
// Run: middle
// Limit: as=1G
// Run: large
// Limit: as=4G
#include <vector>

#include "tests/programs/promise.h"

namespace {

constexpr std::size_t kBlock = 1 << 20;
std::vector<void*> held;

std::size_t take_until_full(std::size_t most) {
  while (held.size() < most) {
    errno = 0;
    void* memory = malloc(promise::hide(kBlock));
    if (memory == nullptr) {
      promise::keep(errno == ENOMEM, "ENOMEM at the limit");
      break;
    }
    promise::fill(memory, 100, 1);
    held.push_back(memory);
  }
  const std::size_t got = held.size();
  for (void* memory : held) {
    promise::keep(promise::holds(memory, 100, 1), "whole");
    promise::put(memory);
  }
  held.clear();
  return got;
}

}  // namespace

int main() {
  held.reserve(8192);
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 3);
  const std::size_t got = take_until_full(8192);
  promise::keep(got >= 120, "at least 120 MiB of 300 are the program's");
  promise::keep(take_until_full(got) >= got * 9 / 10, "freed memory is had again");
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 3);
}
