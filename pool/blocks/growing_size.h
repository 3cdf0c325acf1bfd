// SPDX-License-Identifier: MIT
// Names what the second word of a growing buffer's guard line says.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool {

// Holds the most bytes that a growing buffer was asked to hold, and whether realloc made it larger
// more than once. Both are in one word, so that a buffer that goes on growing is known by
// comparisons.
class GrowingSize {
 public:
  // These make the size of a buffer that grew once, and of one that grew more than once. `most` is
  // in bytes.
  static constexpr GrowingSize once(std::size_t most) noexcept { return GrowingSize(most); }
  [[gnu::always_inline]] static constexpr GrowingSize again(std::size_t most) noexcept {
    return GrowingSize(most | kAgain);
  }

  // Makes the size that the word of a guard line holds.
  explicit constexpr GrowingSize(std::uint64_t word) noexcept : word_(word) {}
  constexpr std::uint64_t word() const noexcept { return word_; }

  // Returns the most bytes that the buffer was asked to hold.
  constexpr std::size_t most() const noexcept { return word_ & ~kAgain; }
  // Tells whether realloc made the buffer larger more than once.
  constexpr bool grew_again() const noexcept { return (word_ & kAgain) != 0; }

  // Returns a size with another most, and the rest as it is.
  constexpr GrowingSize with_most(std::size_t most) const noexcept {
    return GrowingSize(most | (word_ & kAgain));
  }

  // Tells whether the buffer grew more than once and `size` bytes are no fewer than it ever held.
  [[gnu::always_inline]] constexpr bool grows_on_to(std::size_t size) const noexcept {
    return word_ > kAgain && again(size).word_ >= word_;
  }

 private:
  static constexpr std::uint64_t kAgain = std::uint64_t{1} << 63;

  std::uint64_t word_;
};

}  // namespace bufpool
