// SPDX-License-Identifier: MIT
// The words in front of a buffer that say what it is.
//
// The first word of a block's guard line is a cookie of the block's address and the process's
// secret: in use, free, or free and known to be zero. Being the first word, it is the first thing
// that an overrun of the buffer before it hits. A word of zero is no cookie and proves nothing: it
// stands before a block that was never handed out, on a page that was given back, and where a
// program wrote zeros past the end of a buffer. The second word is used only while the first says
// so.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bufpool {

// A block's address: that of its guard line. 0 is none.
using Block = std::uintptr_t;

struct GuardLine {
  std::uint64_t state;
  std::uint64_t link;  // of an aligned entry: its block; of a block with one: the entry; of a
                       // deferred block: the next one; of a growing buffer: the most bytes it was
                       // asked to hold
};

[[gnu::always_inline]] inline GuardLine& guard_line(Block block) noexcept {
  return *reinterpret_cast<GuardLine*>(block);
}

// The third word, of buffers whose gap is a line or more: bytes that a growing or a borrowed buffer
// keeps resident beyond what it needs.
inline std::uint64_t& lent_bytes(Block block) noexcept {
  return *reinterpret_cast<std::uint64_t*>(block + sizeof(GuardLine));
}

// The fourth word, of the same: Cookies::altered_pages() where the program has altered pages of the
// buffer, replaced_pages() where it may have put others there. Anything else means nothing.
inline std::uint64_t& alteration(Block block) noexcept {
  return *reinterpret_cast<std::uint64_t*>(block + sizeof(GuardLine) + sizeof(std::uint64_t));
}

// The fifth word, of the same, means nothing: it is written to find out whether it can be.
inline std::uint64_t& scratch(Block block) noexcept {
  return *reinterpret_cast<std::uint64_t*>(block + sizeof(GuardLine) + 2 * sizeof(std::uint64_t));
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
  // A put compares with the first, and makes the word for free of it.
  [[gnu::always_inline]] std::uint64_t plain(Block block) const noexcept { return block ^ secret_; }
  [[gnu::always_inline]] std::uint64_t free(Block block) const noexcept { return ~plain(block); }
  // The word of a free block whose buffer reads as zero from its first byte to its last.
  std::uint64_t known_zero(Block block) const noexcept { return plain(block) ^ 0x6666666666666666; }
  // The word of a guard line inside a block, in front of an aligned address handed out. It becomes
  // free() of the line once that address was freed.
  std::uint64_t aligned_entry(Block line) const noexcept {
    return plain(line) ^ 0x5555555555555555;
  }
  // The word of the block that an aligned address was handed out of.
  std::uint64_t entered(Block block) const noexcept { return plain(block) ^ 0x3c3c3c3c3c3c3c3c; }
  // The word of a buffer that realloc made larger: link is valid, and put() takes the long way.
  std::uint64_t growing(Block block) const noexcept { return plain(block) ^ 0x3333333333333333; }

  // The word of a buffer in a block of a larger class than its own: put() takes the long way.
  std::uint64_t borrowed(Block block) const noexcept { return plain(block) ^ 0x6969696969696969; }

  // The fourth word of a block with altered pages, and of one whose pages may be others.
  std::uint64_t altered_pages(Block block) const noexcept {
    return plain(block) ^ 0x5a5a5a5a5a5a5a5a;
  }
  std::uint64_t replaced_pages(Block block) const noexcept {
    return plain(block) ^ 0x2d2d2d2d2d2d2d2d;
  }

  bool is_in_use(Block block) const noexcept {
    const std::uint64_t state = guard_line(block).state;
    return state == in_use(block) || state == growing(block) || state == borrowed(block) ||
           state == entered(block);
  }
  bool is_free(Block block) const noexcept {
    const std::uint64_t state = guard_line(block).state;
    return state == free(block) || state == known_zero(block);
  }
  // Writes known_zero() into the guard line of a block that reads as zero all over. One that does
  // not is left as it is. The write comes without a read before it, so that a page is faulted in
  // once.
  void note_zero(Block block) const noexcept {
    std::uint64_t expected = 0;
    std::atomic_ref(guard_line(block).state)
        .compare_exchange_strong(expected, known_zero(block), std::memory_order_relaxed);
  }

 private:
  std::uint64_t secret_ = 0;
  std::uint64_t taken_ = 0;
};

}  // namespace bufpool
