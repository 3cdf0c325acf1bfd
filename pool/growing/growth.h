// SPDX-License-Identifier: MIT
// Whether a buffer that realloc makes larger will be made larger again, and how large: learned from
// those before.
//
// One that keeps growing is moved once to a block as large as such buffers become, where address
// space is wide enough, and grows there without copying; only what is touched has pages. One that
// grows once and never again is better off in a block of its size.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bufpool {

// In a growing buffer's link, beside the most bytes asked for: it is known to have grown again.
inline constexpr std::uint64_t kGrewAgain = std::uint64_t{1} << 63;

class Growth {
 public:
  // A buffer grew for the first time. After kWindow of them, and every half of that from then on,
  // what was learned before the last time is forgotten.
  void note_first() noexcept {
    if (first_.fetch_add(1, std::memory_order_relaxed) < kWindow) return;
    first_.store(kWindow / 2, std::memory_order_relaxed);
    again_.store(again_.load(std::memory_order_relaxed) / 2, std::memory_order_relaxed);
    widest_before_.store(widest_.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
  }
  void note_again() noexcept { again_.fetch_add(1, std::memory_order_relaxed); }

  // A buffer that grew is given back; `size`: the most it was asked to hold.
  void note_end(std::size_t size) noexcept {
    if (size > widest_.load(std::memory_order_relaxed)) {
      widest_.store(size, std::memory_order_relaxed);
    }
  }

  // Most that grew lately grew again.
  bool likely() const noexcept {
    return again_.load(std::memory_order_relaxed) * 2 >
           first_.load(std::memory_order_relaxed) + kDoubt;
  }

  // How much room to give to one of `size` bytes that is likely to grow again.
  std::size_t room_for(std::size_t size) const noexcept {
    return std::max({4 * size, widest_.load(std::memory_order_relaxed),
                     widest_before_.load(std::memory_order_relaxed)});
  }

 private:
  static constexpr std::uint32_t kWindow = 1024;
  static constexpr std::uint32_t kDoubt = 4;  // the benefit of it is with those that stop

  std::atomic<std::uint32_t> first_{0};
  std::atomic<std::uint32_t> again_{0};
  std::atomic<std::size_t> widest_{0};
  std::atomic<std::size_t> widest_before_{0};
};

}  // namespace bufpool
