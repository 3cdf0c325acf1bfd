// SPDX-License-Identifier: MIT
// Holds all that the hit paths read of the pool beside the CPU's cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pool/addresses/chunks.h"
#include "pool/addresses/size_classes.h"
#include "pool/blocks/block_marks.h"
#include "pool/blocks/served_sizes.h"

namespace bufpool {

// Holds the ranges, marks and tables of the hit paths together, in few cache lines. They are
// written once, by open(). Before that it wants nothing and owns nothing. Any thread and any signal
// handler may call all.
class alignas(64) HitTables {
 public:
  // Fills the tables. From then on wants() is true of the sizes in `fast`. Pre: it is called once,
  // while no other thread uses the pool.
  void open(const ServedSizes& sizes, SizeRange fast, const ChunkRange& range,
            const BlockMarks& marks) noexcept;

  // Tells whether a request of `size` bytes may take the short way.
  [[gnu::always_inline]] bool wants(std::size_t size) const noexcept {
    return fast_range_.contains(size);
  }

  // Tells whether an address lies in the pool's range.
  [[gnu::always_inline]] bool owns(std::uintptr_t address) const noexcept {
    return range_.contains(address);
  }

  // Returns the class of an address. Pre: owns(address). The number has 64 bits, so that it needs
  // no instruction of its own where it indexes a table.
  [[gnu::always_inline]] std::uint64_t class_number(std::uintptr_t address) const noexcept {
    return range_.class_number(address);
  }
  [[gnu::always_inline]] ClassIndex class_at(std::uintptr_t address) const noexcept {
    return ClassIndex{static_cast<std::uint32_t>(class_number(address))};
  }
  // Returns the class of a block of the pool.
  [[gnu::always_inline]] ClassIndex class_of(Block block) const noexcept {
    return class_at(to_address(block));
  }

  [[gnu::always_inline]] const BlockMarks& marks() const noexcept { return marks_; }

  // Return what a get looks up, by the step_number() of the size. stack_for_step() returns the
  // stack of the class that serves the step, as empty_stack_address() does. gap_for_step() returns
  // how many bytes a buffer of that class begins behind its block.
  [[gnu::always_inline]] std::uintptr_t stack_for_step(std::uint64_t step) const noexcept {
    return stacks_[step];
  }
  [[gnu::always_inline]] std::size_t gap_for_step(std::uint64_t step) const noexcept {
    return gaps_[step];
  }

  // Return what a put and a resize look up, by class_number(). A class in use serves its own step,
  // so both views share their rows, and a get and a put touch the same cache lines.
  [[gnu::always_inline]] std::uintptr_t stack_of_class(std::uint64_t c) const noexcept {
    return stacks_[c];
  }
  [[gnu::always_inline]] std::size_t gap_of_class(std::uint64_t c) const noexcept {
    return gaps_[c];
  }
  // Returns the most bytes that a growing buffer of the class may hold where it is.
  [[gnu::always_inline]] std::size_t room_of_class(std::uint64_t c) const noexcept {
    return rooms_[c];
  }

 private:
  SizeRange fast_range_;
  ChunkRange range_;
  BlockMarks marks_;
  // Pairs of 2K, 8K, 32K and 128K took up to 1.02 of the time with their rows of the tables at the
  // start of a cache line.
  std::array<std::byte, 56> unused_{};
  std::array<std::uintptr_t, kClassSlots> stacks_{};
  std::array<std::size_t, kClassSlots> gaps_{};
  std::array<std::size_t, kClassSlots> rooms_{};
};

}  // namespace bufpool
