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
  std::uint64_t link;  // of an aligned entry: its block; of a deferred block: the next one
};

[[gnu::always_inline]] inline GuardLine& guard_line(Block block) noexcept {
  return *reinterpret_cast<GuardLine*>(block);
}

class Cookies {
 public:
  constexpr Cookies() noexcept = default;
  explicit constexpr Cookies(std::uint64_t secret) noexcept : secret_(secret) {}

  // Two instructions: the secret is loaded once, the address is at hand.
  [[gnu::always_inline]] std::uint64_t in_use(Block block) const noexcept {
    return block ^ secret_;
  }
  [[gnu::always_inline]] std::uint64_t free(Block block) const noexcept { return ~in_use(block); }
  // Of a guard line inside a block, in front of an aligned address handed out.
  std::uint64_t aligned_entry(Block line) const noexcept {
    return in_use(line) ^ 0x5555555555555555;
  }

  bool is_free(Block block) const noexcept {
    const std::uint64_t state = guard_line(block).state;
    return state == free(block) || state == 0;
  }

 private:
  std::uint64_t secret_ = 0;
};

}  // namespace bufpool
