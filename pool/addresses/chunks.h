// SPDX-License-Identifier: MIT
// The unit that classes take address space in, and the range of addresses that they take it from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/addresses/size_classes.h"

namespace bufpool {

inline constexpr std::uint32_t kChunkShift = 22;
inline constexpr std::size_t kChunkBytes = std::size_t{1} << kChunkShift;

// How many chunks hold `bytes` bytes.
constexpr std::size_t chunks_above(std::size_t bytes) noexcept {
  return (bytes + kChunkBytes - 1) >> kChunkShift;
}

// The range of addresses that all chunks lie in. Each class has a region of it, so that an address
// tells its class by a subtraction and a shift. All zero, it is empty.
struct ChunkRange {
  // The widest region has 128 GiB.
  static constexpr std::uint32_t kWidestShift = 37;
  static constexpr std::size_t kMostChunks = std::size_t{kClassSlots}
                                             << (kWidestShift - kChunkShift);

  std::uintptr_t start = 0;
  std::size_t bytes = 0;
  std::uint32_t region_shift = 0;

  // Whether an address lies in the range.
  [[gnu::always_inline]] bool contains(std::uintptr_t address) const noexcept {
    return address - start < bytes;
  }
  // The number of the class that an address belongs to. Pre: contains(address).
  [[gnu::always_inline]] std::uint64_t class_number(std::uintptr_t address) const noexcept {
    return (address - start) >> region_shift;
  }
  // The number of the chunk that an address lies in. Outside the range it is a number that no chunk
  // has.
  std::size_t chunk_number(std::uintptr_t address) const noexcept {
    return (address - start) >> kChunkShift;
  }
  // The first address of a class's region.
  std::uintptr_t region_start(ClassIndex c) const noexcept {
    return start + (std::uintptr_t{to_number(c)} << region_shift);
  }
  std::size_t region_bytes() const noexcept { return std::size_t{1} << region_shift; }
};

}  // namespace bufpool
