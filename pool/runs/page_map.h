// SPDX-License-Identifier: MIT
// Knows which pages of a run have no memory. Each page has a bit. If the bit is set, the page is
// empty: it reads as zero and costs nothing. If it is clear, nothing is known of the page.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace bufpool {

// Holds a range of pages, counted from the start of a run.
struct PageRange {
  std::size_t first;
  std::size_t last;  // one behind the last page
  // Returns how many pages the range has.
  std::size_t count() const noexcept { return last - first; }
};

// Holds the bits of one run's pages, in words that lie behind the run's record. The lock of the
// run's class guards them.
class PageMap {
 public:
  // Returns how many words a run of `pages` pages needs.
  static constexpr std::size_t words_for(std::size_t pages) noexcept { return (pages + 63) / 64; }

  // Makes a map without words, which must not be used, or one of words that are there already.
  constexpr PageMap() noexcept = default;
  explicit PageMap(std::uint64_t* words) noexcept : words_(words) {}

  // Returns how many pages of the range are empty.
  [[nodiscard]] std::size_t count(PageRange pages) const noexcept {
    std::size_t sum = 0;
    each(pages, [&](std::uint64_t& word, std::uint64_t mask) { sum += ones(word & mask); });
    return sum;
  }

  // Returns whether all pages of the range are empty.
  [[nodiscard]] bool has_all(PageRange pages) const noexcept {
    return count(pages) == pages.count();
  }

  // Says that the pages of the range are empty. It returns how many were not known to be.
  std::size_t set(PageRange pages) noexcept {
    std::size_t sum = 0;
    each(pages, [&](std::uint64_t& word, std::uint64_t mask) {
      sum += ones(~word & mask);
      word |= mask;
    });
    return sum;
  }

  // Says that the pages of the range may have memory. It returns how many were empty.
  std::size_t clear(PageRange pages) noexcept {
    std::size_t sum = 0;
    each(pages, [&](std::uint64_t& word, std::uint64_t mask) {
      sum += ones(word & mask);
      word &= ~mask;
    });
    return sum;
  }

 private:
  // Counts the ones of a word. Most words are all ones or all zeros. Others are counted by a call,
  // because a build for every x86-64 has no instruction for it.
  static std::size_t ones(std::uint64_t word) noexcept {
    if (word == 0) return 0;
    if (word == ~std::uint64_t{0}) return 64;
    return static_cast<std::size_t>(std::popcount(word));
  }

  template <typename Visit>
  void each(PageRange pages, Visit visit) const noexcept {
    auto [first, last] = pages;
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
