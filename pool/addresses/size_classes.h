// SPDX-License-Identifier: MIT
// Defines the size classes: four per doubling, from 512 B to 1 GiB. They are computed, not listed,
// and proved below. All functions are pure.
//
// Programs ask for a round size plus a small header of their own, so a class serves up to 64 bytes
// more than its round (nominal) size. A block is a guard line followed by the buffer:
//
//   block                block + gap                          block + stride
//   | guard line (gap)   | buffer: nominal + 64 bytes         | next block's guard line
//
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/options/limits.h"
#include "pool/platform/memory.h"

namespace bufpool {

inline constexpr std::size_t kLine = 64;  // of the processor's cache

// Holds the index of a size class, and of its row in every table. 0 is the formula's step for 512
// bytes and less, which class 1 serves.
enum class ClassIndex : std::uint32_t {};
inline constexpr std::uint32_t kClassSlots = 88;
inline constexpr ClassIndex kFirstClass{1};
inline constexpr ClassIndex kLastClass{85};

// Returns the index as a number, for tables.
constexpr std::uint32_t to_number(ClassIndex c) noexcept { return static_cast<std::uint32_t>(c); }

// Returns the step of the ladder that holds `size`. The leading bit of size - 65 chooses the
// doubling, and the two bits below it choose the quarter. It costs five instructions. It is written
// so that the compiler sees a bsr, and in 64 bits so that the compiler folds the constant into the
// address that the step indexes. Pre: kMinSize <= size <= kMaxSize + kHeaderRoom.
[[gnu::always_inline]] constexpr std::uint64_t step_number(std::size_t size) noexcept {
  const std::uint64_t above = size - kHeaderRoom - 1;
  const std::uint64_t top = static_cast<unsigned>(__builtin_clzll(above)) ^ 63u;
  return 4 * top + (above >> (top - 2)) - 38;
}

// Returns the same as an index. Step 0 is no class. Pre: as for step_number().
constexpr ClassIndex class_step(std::size_t size) noexcept {
  return ClassIndex{static_cast<std::uint32_t>(step_number(size))};
}

// Returns the built-in class that holds `size`, or the one whose sizes are nearest.
constexpr ClassIndex class_of_size(std::size_t size) noexcept {
  if (size <= kMinSize + kHeaderRoom) return kFirstClass;
  return size > kMaxSize + kHeaderRoom ? kLastClass : class_step(size);
}

// Returns the round size of a class, without the room for a program's header.
constexpr std::size_t nominal_bytes(ClassIndex c) noexcept {
  const std::uint32_t step = to_number(c) + 34;
  return static_cast<std::size_t>((step & 3) + 5) << (step / 4 - 2);
}

// Returns the bytes that a program may write into a buffer of the class.
constexpr std::size_t buffer_bytes(ClassIndex c) noexcept { return nominal_bytes(c) + kHeaderRoom; }

// Returns the bytes of the guard line in front of a buffer. It is a cache line wide, so that
// buffers a page apart do not fall into one cache set. Below 1 KiB pages hold several buffers
// anyway, so there it is the least that keeps buffers aligned. From a page up it is a line wider,
// which makes the stride an odd number of lines: an even stride uses only every second set.
constexpr std::size_t gap_bytes(ClassIndex c) noexcept {
  if (nominal_bytes(c) < 1024) return 16;
  return nominal_bytes(c) < 4096 ? kLine : 2 * kLine;
}

// Returns whether the guard line has room for more than two words.
constexpr bool has_more_words(ClassIndex c) noexcept { return gap_bytes(c) >= kLine; }

// Returns the bytes of a block: guard line and buffer.
constexpr std::size_t stride_bytes(ClassIndex c) noexcept { return gap_bytes(c) + buffer_bytes(c); }

// A span is the unit in which free space that the CPUs share is kept, aged and given back.
inline constexpr std::size_t kSpanBytes = 64 << 10;
inline constexpr std::uint32_t kMaxSpanBlocks = 128;

// Returns how many blocks a span of the class has.
constexpr std::uint32_t span_blocks(ClassIndex c) noexcept {
  const std::size_t blocks = kSpanBytes / nominal_bytes(c);
  return blocks == 0 ? 1 : static_cast<std::uint32_t>(blocks);
}

// From this many bytes on a block has a slot of whole pages for itself, which is a page longer than
// the block. So the block may begin anywhere in the first page: where the buffer began in its page
// whose pages move in.
inline constexpr std::size_t kLeastSlot = std::size_t{4} << 20;

// Returns whether the blocks of the class have slots.
constexpr bool has_slots(ClassIndex c) noexcept { return nominal_bytes(c) >= kLeastSlot; }

// Returns the bytes of a span of the class. A slot is a span.
constexpr std::size_t span_bytes(ClassIndex c) noexcept {
  if (!has_slots(c)) return span_blocks(c) * stride_bytes(c);
  return platform::page_above(stride_bytes(c) + platform::kPageBytes);
}

// So many blocks move between a CPU's cache and the spans at a time. The number is chosen by bytes,
// so that a miss costs about the same memory in every class.
inline constexpr std::size_t kBatchBytes = 256 << 10;
inline constexpr std::uint32_t kMaxBatch = 32;

// Returns how many blocks of a class move at a time.
constexpr std::uint32_t batch_blocks(ClassIndex c) noexcept {
  const std::size_t blocks = kBatchBytes / nominal_bytes(c);
  if (blocks == 0) return 1;
  return blocks > kMaxBatch ? kMaxBatch : static_cast<std::uint32_t>(blocks);
}

// Returns the most blocks of the class that one CPU's cache has room for, whatever its budget is.
constexpr std::uint32_t max_cached_blocks(ClassIndex c) noexcept {
  const std::size_t blocks = (std::size_t{256} << 20) / nominal_bytes(c);
  if (blocks == 0) return 1;
  return blocks > 1024 ? 1024 : static_cast<std::uint32_t>(blocks);
}

// Calls visit(ClassIndex) for every class, ascending.
template <typename Visit>
constexpr void for_each_class(Visit visit) {
  for (auto i = to_number(kFirstClass); i <= to_number(kLastClass); ++i) visit(ClassIndex{i});
}

namespace size_class_proof {

// Returns whether each size has one class, and the size above it the next.
constexpr bool steps_meet() {
  bool good = true;
  for_each_class([&](ClassIndex c) {
    good &= class_step(buffer_bytes(c)) == c;
    if (c != kLastClass) good &= to_number(class_step(buffer_bytes(c) + 1)) == to_number(c) + 1;
  });
  return good;
}

constexpr bool waste_is_bounded() {  // of the nominal block, for a request one above the step below
  bool good = true;
  for_each_class([&](ClassIndex c) {
    const std::size_t below = nominal_bytes(ClassIndex{to_number(c) - 1});
    good &= 5 * (nominal_bytes(c) - below) <= nominal_bytes(c);
  });
  return good;
}

// Returns whether all blocks are aligned as malloc promises, and to whole cache lines from 1 KiB
// up.
constexpr bool blocks_are_aligned() {
  bool good = true;
  for_each_class([&](ClassIndex c) {
    good &= stride_bytes(c) % 16 == 0 && gap_bytes(c) % 16 == 0;
    if (nominal_bytes(c) >= 1024) good &= stride_bytes(c) % 64 == 0;
    if (nominal_bytes(c) >= 4096) good &= stride_bytes(c) / 64 % 2 == 1;
    good &= span_blocks(c) <= kMaxSpanBlocks;
  });
  return good;
}

static_assert(nominal_bytes(kFirstClass) == kMinSize, "the first class is 512 B");
static_assert(nominal_bytes(kLastClass) == kMaxSize, "the last class is 1 GiB");
static_assert(to_number(class_step(kMinSize)) == 0, "512 bytes are on the step below the first");
static_assert(to_number(kLastClass) < kClassSlots, "every class has a row");
static_assert(steps_meet(), "every size has one class, and its neighbour above the next");
static_assert(waste_is_bounded(), "no block is more than a fifth larger than it need be");
static_assert(blocks_are_aligned(), "malloc's alignment, and whole cache lines from 1 KiB up");

}  // namespace size_class_proof
}  // namespace bufpool
