// SPDX-License-Identifier: MIT
// Times that several threads see and change, on a clock of 32 bits of milliseconds, which comes
// round after 49 days.
#pragma once

#include <atomic>
#include <cstdint>

namespace bufpool {

// Whether one time is less than `span_ms` after the other or, as threads look at the clock and
// then act in any order, as little before it. Pre: span_ms is below half of what the clock counts.
constexpr bool is_within(std::uint32_t now_ms, std::uint32_t then_ms,
                         std::uint32_t span_ms) noexcept {
  return now_ms - then_ms + span_ms < 2 * span_ms;
}

// When something happened last and what it was, seen and changed together.
class Moment {
 public:
  struct Seen {
    std::uint32_t ms;
    std::uint32_t what;
  };

  Seen seen() const noexcept {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    return {static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32)};
  }

  void set(std::uint32_t ms, std::uint32_t what) noexcept {
    word_.store(packed(ms, what), std::memory_order_relaxed);
  }

  // False: something else happened since it was seen so; nothing is changed.
  bool replace(Seen seen, std::uint32_t ms, std::uint32_t what) noexcept {
    std::uint64_t expected = packed(seen.ms, seen.what);
    return word_.compare_exchange_strong(expected, packed(ms, what), std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint64_t packed(std::uint32_t ms, std::uint32_t what) noexcept {
    return std::uint64_t{what} << 32 | ms;
  }

  std::atomic<std::uint64_t> word_{0};
};

}  // namespace bufpool
