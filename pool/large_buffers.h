// SPDX-License-Identifier: MIT
// Buffers that realloc made larger than the largest class: each in a slot of address space of its
// own, where the kernel moves their pages to instead of anyone copying them, and where they grow in
// place. What cannot be had here (no slot, a kernel before 5.7) moves to mimalloc by copying.
//
// A slot that was used once can be read to its end, so that a second free finds out.
//
// Synchronization: a slot belongs to whoever set its bit; its owner is the program's buffer.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/address_space.h"
#include "pool/guard_line.h"

namespace bufpool {

class LargeBuffers {
 public:
  static constexpr std::uint32_t kSlots = 64;
  // Guard line and buffer lie in the page as in the block they come from.
  static constexpr std::size_t kGap = gap_bytes(kLastClass);

  void open(Region region) noexcept {
    start_ = region.start;
    slot_bytes_ = region.bytes / kSlots;
  }

  // The first `bytes` bytes of the block `from` in a slot with room for a buffer of `size`. The
  // block is the caller's to put back; what it held is undefined then. 0: not to be had, nothing
  // happened.
  [[nodiscard]] Block adopt(Block from, std::size_t bytes, std::size_t size) noexcept;

  // Makes room for `size` bytes in place. False: not to be had.
  [[nodiscard]] bool extend(Block block, std::size_t size) noexcept;

  // Gives the buffer's memory back. Its guard line reads as zero from then on, or, where the kernel
  // refuses, as it was.
  void release(Block block) noexcept;

  // The block that is, or was last, in the slot of `address`; 0: none ever was. Pre: `address` is
  // in the region.
  Block block_around(std::uintptr_t address) const noexcept {
    return blocks_[slot_of(address)].load(std::memory_order_relaxed);
  }
  // Whether that block is not released yet.
  bool is_in_use(Block block) const noexcept {
    return (used_.load(std::memory_order_relaxed) >> slot_of(block) & 1) != 0;
  }

  std::uint32_t in_use() const noexcept;

 private:
  std::uint32_t slot_of(std::uintptr_t address) const noexcept {
    return static_cast<std::uint32_t>((address - start_) / slot_bytes_);
  }
  std::uintptr_t slot_start(std::uint32_t slot) const noexcept {
    return start_ + slot * slot_bytes_;
  }
  bool claim(std::uint32_t& slot) noexcept;
  void give_back(std::uint32_t slot) noexcept;
  bool fits(std::size_t offset, std::size_t size) const noexcept {
    return size <= slot_bytes_ - kGap - offset;
  }
  std::size_t ahead_of(std::size_t bytes) const noexcept;
  bool adopt_pages(std::uint32_t slot, std::uintptr_t pages, std::size_t bytes, std::uintptr_t to,
                   std::size_t whole) noexcept;

  std::uintptr_t start_ = 0;
  std::size_t slot_bytes_ = 0;
  std::atomic<std::uint64_t> used_{0};
  std::array<std::size_t, kSlots> committed_{};
  std::array<std::atomic<Block>, kSlots> blocks_{};
};

}  // namespace bufpool
