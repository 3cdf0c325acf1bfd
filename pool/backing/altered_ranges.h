// SPDX-License-Identifier: MIT
// Knows which pages of the allocator underneath the program altered: protected, locked, unmapped. A
// program may do so to a large buffer and free it, as libc unmaps it then. The allocator underneath
// writes into what it takes back, and hands it out again as it is.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bufpool::backing {

// Holds some ranges of addresses. It takes no lock. Any thread and any signal handler may call all.
class AlteredRanges {
 public:
  // Tells whether it holds any. It is one load.
  [[nodiscard, gnu::always_inline]] bool has_some() const noexcept {
    return count_.load(std::memory_order_relaxed) != 0;
  }

  // Adds a range. It is dropped where there is no room: then its pages stay as they are.
  void add(std::uintptr_t start, std::size_t bytes) noexcept;

  // Takes the ranges out that a block at [start, start + bytes) has bytes of. Returns whether there
  // were any. Pre: the block is the caller's.
  [[nodiscard]] bool take(std::uintptr_t start, std::size_t bytes) noexcept;

 private:
  // Programs that protect large buffers have few of them.
  static constexpr std::size_t kMost = 64;

  struct Range {
    std::atomic<std::uintptr_t> start{0};  // 0: there is none
    std::atomic<std::size_t> bytes{0};     // 0: it is being added
  };

  std::atomic<std::uint32_t> count_{0};
  std::array<Range, kMost> ranges_{};
};

}  // namespace bufpool::backing
