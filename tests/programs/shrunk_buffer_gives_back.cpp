// SPDX-License-Identifier: MIT
// Promise: a buffer that grew to 200 MiB and is shrunk to 17 keeps those 17, whole, and no more.
#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kMost = 200 * promise::kMiB;
constexpr std::size_t kLeast = 17 * promise::kMiB;

}  // namespace

int main() {
  const std::size_t before = promise::resident_bytes();
  std::size_t size = promise::kMiB;
  char* memory = promise::get(size);
  promise::fill(memory, size, 1);
  while (size < kMost) {
    const std::size_t more = std::min(size * 3 / 2, kMost);
    memory = static_cast<char*>(realloc(promise::hide(memory), promise::hide(more)));
    promise::keep(memory != nullptr, "it grows");
    memset(memory + size, 1, more - size);
    size = more;
  }
  memory = static_cast<char*>(realloc(promise::hide(memory), promise::hide(kLeast)));
  promise::keep(memory != nullptr && promise::holds(memory, promise::kMiB, 1), "it is whole");
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 40 * promise::kMiB; }),
      "the rest goes back");
  promise::put(memory);
}
