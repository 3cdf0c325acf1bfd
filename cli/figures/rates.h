// SPDX-License-Identifier: MIT
// Sums over a process's classes, and how fast they grow.
#pragma once

#include <cstdint>

#include "cli/figures/sample.h"

namespace bufpool {

struct Sums {
  std::uint64_t gets = 0;
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t fallbacks = 0;
  std::uint64_t in_use_bytes = 0;  // of the buffers that the program holds
  std::uint64_t idle_bytes = 0;
  std::uint64_t retained_bytes = 0;
  std::uint64_t purged_bytes = 0;
  std::uint64_t faulted_bytes = 0;
  std::uint64_t resident_bytes = 0;  // of the whole process
};

// Returns the sums over all classes.
[[nodiscard]] Sums sums_of(const Snapshot& snapshot);
// The bytes of the buffers in use of a class.
[[nodiscard]] std::uint64_t in_use_bytes(const ClassSnapshot& row);

// Returns by how much a counter grew; 0 if it is another process's, and smaller.
[[nodiscard]] std::uint64_t growth(std::uint64_t before, std::uint64_t now);
// Returns the growth in a second of `elapsed_ms`.
[[nodiscard]] std::uint64_t per_second(std::uint64_t growth, std::uint64_t elapsed_ms);

}  // namespace bufpool
