// SPDX-License-Identifier: MIT
// How the blocks of a size class lie in a run, in numbers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/addresses/size_classes.h"

namespace bufpool {

// The measures of one size class. A run is a row of spans, and a span is a row of blocks, so a run
// is a row of blocks, too.
struct Geometry {
  constexpr Geometry() noexcept = default;
  // The measures of the class `c`. Those that are all zero are of no class.
  explicit constexpr Geometry(ClassIndex c) noexcept
      : index(c),
        span_blocks(bufpool::span_blocks(c)),
        span_bytes(bufpool::span_bytes(c)),
        distance(span_bytes / span_blocks),
        inverse(~std::uint64_t{0} / distance + 1) {}

  // How many whole blocks lie in front of `offset`, a number of bytes from the start of a run or of
  // a span. It divides by a multiplication. The result is exact, because the offset times the error
  // of the rounded inverse stays below 2^64.
  std::uint64_t blocks_in(std::uint64_t offset) const noexcept {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(static_cast<Wide>(offset) * inverse >> 64);
  }

  // How many whole spans lie in `bytes`.
  std::uint32_t spans_in(std::size_t bytes) const noexcept {
    return static_cast<std::uint32_t>(bytes / span_bytes);
  }

  ClassIndex index{0};
  std::uint32_t span_blocks = 0;
  std::size_t span_bytes = 0;
  std::size_t distance = 0;  // bytes from one block to the next
  std::uint64_t inverse = 0;
};

}  // namespace bufpool
