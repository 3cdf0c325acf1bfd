// SPDX-License-Identifier: MIT
// Times that several threads see and change. Their clock counts milliseconds in 32 bits and begins
// anew after 49 days.
#pragma once

#include <atomic>
#include <cstdint>

namespace bufpool {

// A length of time. A point in time on the clock is a plain number, so that the compiler tells one
// from the other where a function takes both.
enum class Milliseconds : std::uint32_t {};

// The length as a number, to calculate with.
constexpr std::uint32_t to_number(Milliseconds time) noexcept {
  return static_cast<std::uint32_t>(time);
}

// Whether `now_ms` is less than `span_ms` milliseconds after `then_ms`, or as little before it. The
// latter happens because threads look at the clock and then act in any order. Pre: span_ms is less
// than half of what the clock counts.
constexpr bool is_within(std::uint32_t now_ms, std::uint32_t then_ms,
                         std::uint32_t span_ms) noexcept {
  return now_ms - then_ms + span_ms < 2 * span_ms;
}

// When something happened last and what it was. Both are seen and changed together. Any thread and
// any signal handler may call all functions. None of them waits.
class Moment {
 public:
  struct Seen {
    std::uint32_t ms;
    std::uint32_t what;
  };

  // Returns what was set last; zeros if nothing was.
  Seen seen() const noexcept {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    return {static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32)};
  }

  // Sets both, whatever they were.
  void set(std::uint32_t ms, std::uint32_t what) noexcept {
    word_.store(packed(ms, what), std::memory_order_relaxed);
  }

  // Sets both if they still are what was seen. It returns false, and changes nothing, if they are
  // not.
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
