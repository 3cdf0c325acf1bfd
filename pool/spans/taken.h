// SPDX-License-Identifier: MIT
// Holds what comes of taking blocks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool {

// Says why no block was to be had.
enum class Shortage : std::uint8_t {
  kMemory,  // the system refused memory, or there are no more chunks
  kLimit,   // as many blocks are out as may be
  kLock,    // the lock was refused, see OwnerLock
};
inline constexpr std::size_t kShortages = 3;

// Holds the result of a take.
struct Taken {
  std::uint32_t count;           // blocks that were taken; 0 if none was to be had
  std::uint32_t zeroed;          // how many of them, the first ones, read as zero from end to end
  bool new_outstanding_peak;     // more blocks are out of the spans than ever were
  std::uint64_t fresh_bytes;     // bytes of the blocks that have no pages yet
  std::uint64_t regret_bytes;    // those of the fresh bytes that had pages shortly before
  std::uint64_t about_to_touch;  // those of the fresh bytes that are about to be touched
  Shortage why;                  // says why count is 0
  std::uint64_t lent_bytes;      // by WideBlocks: bytes with pages that are not about to be used
};

}  // namespace bufpool
