// SPDX-License-Identifier: MIT
// Buffers that realloc made larger than the largest class: each in a slot of address space of its
// own, where the kernel moves their pages to instead of anyone copying them, and where they grow in
// place. What cannot be had here (no slot, a kernel before 5.7) moves to mimalloc by copying.
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

  // Gives the buffer's memory back.
  void release(Block block) noexcept;

  std::uint32_t in_use() const noexcept;

 private:
  std::uint32_t slot_of(Block block) const noexcept {
    return static_cast<std::uint32_t>((block - start_) / slot_bytes_);
  }
  std::uintptr_t slot_start(std::uint32_t slot) const noexcept {
    return start_ + slot * slot_bytes_;
  }
  bool claim(std::uint32_t& slot) noexcept;
  bool commit_to(std::uint32_t slot, std::size_t bytes) noexcept;

  std::uintptr_t start_ = 0;
  std::size_t slot_bytes_ = 0;
  std::atomic<std::uint64_t> used_{0};
  std::array<std::size_t, kSlots> committed_{};
};

}  // namespace bufpool
