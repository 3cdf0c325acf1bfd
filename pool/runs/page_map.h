// SPDX-License-Identifier: MIT
// Which pages of a run have no memory: a bit each, set where the page reads as zero and costs
// nothing. A set bit is certain, a clear one says nothing.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace bufpool {

class PageMap {
 public:
  static constexpr std::size_t words_for(std::size_t pages) noexcept { return (pages + 63) / 64; }

  constexpr PageMap() noexcept = default;
  explicit PageMap(std::uint64_t* words) noexcept : words_(words) {}

  // The number of empty pages in [first, last).
  [[nodiscard]] std::size_t count(std::size_t first, std::size_t last) const noexcept {
    std::size_t sum = 0;
    each(first, last, [&](std::uint64_t& word, std::uint64_t mask) { sum += ones(word & mask); });
    return sum;
  }

  // From now on they are empty. Returns how many were not.
  std::size_t set(std::size_t first, std::size_t last) noexcept {
    std::size_t sum = 0;
    each(first, last, [&](std::uint64_t& word, std::uint64_t mask) {
      sum += ones(~word & mask);
      word |= mask;
    });
    return sum;
  }

  // From now on they may have memory. Returns how many were empty.
  std::size_t clear(std::size_t first, std::size_t last) noexcept {
    std::size_t sum = 0;
    each(first, last, [&](std::uint64_t& word, std::uint64_t mask) {
      sum += ones(word & mask);
      word &= ~mask;
    });
    return sum;
  }

 private:
  // Most words are all ones or all zeros, and x86-64 counts by a call where it must run everywhere.
  static std::size_t ones(std::uint64_t word) noexcept {
    if (word == 0) return 0;
    if (word == ~std::uint64_t{0}) return 64;
    return static_cast<std::size_t>(std::popcount(word));
  }

  template <typename Visit>
  void each(std::size_t first, std::size_t last, Visit visit) const noexcept {
    while (first < last) {
      const std::size_t bit = first % 64;
      const std::size_t bits = std::min<std::size_t>(64 - bit, last - first);
      visit(words_[first / 64], (~std::uint64_t{0} >> (64 - bits)) << bit);
      first += bits;
    }
  }

  std::uint64_t* words_ = nullptr;
};

}  // namespace bufpool
