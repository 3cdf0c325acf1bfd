// SPDX-License-Identifier: MIT
// Promise: a process that uses one size writes to few pages of the library's own tables: those of
//   the other sizes stay as they were loaded.
// Needs: library
#include "tests/programs/memory.h"
#include "tests/programs/promise.h"

namespace {

// A program in C without a preloaded library has some 100 KiB, and the tables of one size less
// than 300. The tables of all sizes have more than 340 KiB.
constexpr std::size_t kMost = std::size_t{550} << 10;

}  // namespace

int main() {
  promise::put(promise::get(5000));
  const std::size_t dirty = promise::private_dirty_bytes();
  if (dirty > kMost) dprintf(STDERR_FILENO, "%zu bytes\n", dirty);
  promise::keep(dirty <= kMost, "few pages are written");
}
