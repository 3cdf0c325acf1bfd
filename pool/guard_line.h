// SPDX-License-Identifier: MIT
// The words in front of a buffer that say what it is.
//
// The first word of a block's guard line is a cookie of the block's address and the process's
// secret: in use, or free. Free of a block that was never handed out, or whose pages were given
// back, reads as zero. Being the first word, it is the first thing that an overrun of the buffer
// before it hits. The second word is used only while the first says so.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool {

// A block's address: that of its guard line. 0 is none.
using Block = std::uintptr_t;

struct GuardLine {
  std::uint64_t state;
  std::uint64_t link;  // of an aligned entry: its block; of a deferred block: the next one; of a
                       // growing buffer: the most bytes it was asked to hold
};

[[gnu::always_inline]] inline GuardLine& guard_line(Block block) noexcept {
  return *reinterpret_cast<GuardLine*>(block);
}

class Cookies {
 public:
  constexpr Cookies() noexcept = default;
  // `every_put_is_odd`: what takes write is not what puts compare with, so that each put goes the
  // long way.
  explicit constexpr Cookies(std::uint64_t secret, bool every_put_is_odd = false) noexcept
      : secret_(secret), taken_(every_put_is_odd ? secret ^ 0x0f0f0f0f0f0f0f0f : secret) {}

  // Written by a take. Two instructions: a secret is loaded once, the address is at hand.
  [[gnu::always_inline]] std::uint64_t in_use(Block block) const noexcept { return block ^ taken_; }
  // What a put compares with, and the word for free made of it.
  [[gnu::always_inline]] std::uint64_t plain(Block block) const noexcept { return block ^ secret_; }
  [[gnu::always_inline]] std::uint64_t free(Block block) const noexcept { return ~plain(block); }
  // Of a guard line inside a block, in front of an aligned address handed out.
  std::uint64_t aligned_entry(Block line) const noexcept {
    return plain(line) ^ 0x5555555555555555;
  }
  // Of a buffer that realloc made larger: link is valid, and put() takes the long way.
  std::uint64_t growing(Block block) const noexcept { return plain(block) ^ 0x3333333333333333; }

  bool is_in_use(Block block) const noexcept {
    const std::uint64_t state = guard_line(block).state;
    return state == in_use(block) || state == growing(block);
  }
  bool is_free(Block block) const noexcept {
    const std::uint64_t state = guard_line(block).state;
    return state == free(block) || state == 0;
  }

 private:
  std::uint64_t secret_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace bufpool
