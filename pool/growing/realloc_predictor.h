// SPDX-License-Identifier: MIT
// Predicts whether a buffer that realloc makes larger will be made larger again, and how large.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/options/policy.h"

namespace bufpool {

// Learns from the buffers that grew before. A buffer that keeps growing is moved once to a block as
// large as such buffers become, where address space is wide enough, and grows there without
// copying; only what is touched has pages. A buffer that grows once and never again is better off
// in a block of its size.
//
// Any thread and any signal handler may call all. Counts that threads change at the same time may
// be a few off.
class ReallocPredictor {
 public:
  // Notes that a buffer grew for the first time. After kGrowthWindow such buffers, and every half
  // of that from then on, what was learned before the last time is forgotten.
  void note_first() noexcept {
    if (first_.fetch_add(1, std::memory_order_relaxed) < policy::kGrowthWindow) return;
    first_.store(policy::kGrowthWindow / 2, std::memory_order_relaxed);
    again_.store(again_.load(std::memory_order_relaxed) / 2, std::memory_order_relaxed);
    widest_before_.store(widest_.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
  }

  // Notes that a buffer grew again. It is called once for each buffer.
  void note_again() noexcept { again_.fetch_add(1, std::memory_order_relaxed); }

  // Notes that a buffer that grew is given back. `most` is the most bytes it was asked to hold.
  void note_end(std::size_t most) noexcept {
    if (most > widest_.load(std::memory_order_relaxed)) {
      widest_.store(most, std::memory_order_relaxed);
    }
  }

  // Tells whether a buffer that grows is likely to grow again: most that grew lately did.
  bool likely() const noexcept {
    return again_.load(std::memory_order_relaxed) * 2 >
           first_.load(std::memory_order_relaxed) + policy::kGrowthDoubt;
  }

  // Returns the bytes of room for a buffer of `size` bytes that is likely to grow again.
  std::size_t room_for(std::size_t size) const noexcept {
    return std::max({policy::kLeastRoomToGrow * size, widest_.load(std::memory_order_relaxed),
                     widest_before_.load(std::memory_order_relaxed)});
  }

 private:
  std::atomic<std::uint32_t> first_{0};
  std::atomic<std::uint32_t> again_{0};
  std::atomic<std::size_t> widest_{0};
  std::atomic<std::size_t> widest_before_{0};
};

}  // namespace bufpool
