// SPDX-License-Identifier: MIT
// Names blocks, and the words in front of a buffer that say what the buffer is.
//
// The first word of a block's guard line is a cookie, made of the block's address and the process's
// secret. It says that the block is in use, or free, or free and known to be zero. It comes first
// because an overrun of the buffer in front of it hits the first word first. A word of zero is no
// cookie and proves nothing. It stands in a block that was never handed out and on a page that was
// given back, and a program writes it where it writes zeros past the end of a buffer. The second
// word means something only while the first says so.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/addresses/size_classes.h"

namespace bufpool {

// Names a block by the address of its guard line. A block is no number: nobody adds bytes to it,
// and no other address passes for it. It is made where a block is carved or found.
enum class Block : std::uintptr_t {};

// Stands for no block.
inline constexpr Block kNoBlock{0};

// Returns the address of the guard line.
[[gnu::always_inline]] constexpr std::uintptr_t to_address(Block block) noexcept {
  return static_cast<std::uintptr_t>(block);
}

// Returns the address of the buffer, which starts `gap` bytes behind the start of its block.
[[gnu::always_inline]] constexpr std::uintptr_t buffer_address(Block block,
                                                               std::size_t gap) noexcept {
  return to_address(block) + gap;
}

// Returns the block whose buffer starts at `address`, `gap` bytes behind the start of the block.
[[gnu::always_inline]] constexpr Block block_of_buffer(std::uintptr_t address,
                                                       std::size_t gap) noexcept {
  return Block{address - gap};
}

// Returns the address behind the last byte of a block of class `c`.
constexpr std::uintptr_t end_address(Block block, ClassIndex c) noexcept {
  return to_address(block) + stride_bytes(c);
}

struct GuardLine {
  std::uint64_t state;
  // In an aligned entry, it is the block; in a block that has one, it is the entry. In a deferred
  // block, it is the next one. In a growing buffer, it is a GrowingSize.
  std::uint64_t link;
};

// Returns the first two words of a block.
[[gnu::always_inline]] inline GuardLine& guard_line(Block block) noexcept {
  return *reinterpret_cast<GuardLine*>(to_address(block));
}

// Returns the third word: the bytes that a growing or a borrowed buffer keeps resident beyond what
// it needs. Pre: the gap of the block's class is a line or more.
inline std::uint64_t& lent_bytes(Block block) noexcept {
  return *reinterpret_cast<std::uint64_t*>(to_address(block) + sizeof(GuardLine));
}

// Returns the fourth word: Cookies::altered() of what happened to the pages of the buffer. Any
// other value means nothing. Pre: as for lent_bytes().
inline std::uint64_t& alteration(Block block) noexcept { return (&lent_bytes(block))[1]; }

// Returns the fifth word, which means nothing. It is written to find out whether it can be. Pre: as
// for lent_bytes().
inline std::uint64_t& scratch(Block block) noexcept { return (&lent_bytes(block))[2]; }

// Says what happened to the pages of a buffer. The values make the words that say so differ from
// each other.
enum class Alteration : std::uint64_t {
  kInPlace = 0x5a5a5a5a5a5a5a5a,   // the program protected, locked or advised them
  kReplaced = 0x2d2d2d2d2d2d2d2d,  // they may be gone, or others in their place
  kMovedIn = 0x1e1e1e1e1e1e1e1e,   // realloc moved them in, see AlteredPages::note_moved_in()
};

// Makes the words of a process. All functions are pure, and a signal handler may call them.
class Cookies {
 public:
  constexpr Cookies() noexcept = default;
  // Makes the words of a secret. If `every_put_is_odd` is true, takes write another word than puts
  // compare with, so that each put goes the long way.
  explicit constexpr Cookies(std::uint64_t secret, bool every_put_is_odd = false) noexcept
      : secret_(secret), taken_(every_put_is_odd ? secret ^ 0x0f0f0f0f0f0f0f0f : secret) {}

  // Returns the word that a take writes. It costs two instructions: a secret is loaded, and the
  // address is at hand.
  [[gnu::always_inline]] std::uint64_t in_use(Block block) const noexcept {
    return to_address(block) ^ taken_;
  }
  // Return the word that a put compares with, and the word of a free block, which a put makes of
  // it.
  [[gnu::always_inline]] std::uint64_t plain(Block block) const noexcept {
    return to_address(block) ^ secret_;
  }
  [[gnu::always_inline]] std::uint64_t free(Block block) const noexcept { return ~plain(block); }
  // Returns the word of a free block whose buffer reads as zero from its first byte to its last
  // one.
  std::uint64_t known_zero(Block block) const noexcept { return plain(block) ^ 0x6666666666666666; }
  // Returns the word of a guard line inside a block, in front of an aligned address handed out. It
  // becomes free() of the line once that address was freed.
  std::uint64_t aligned_entry(Block line) const noexcept {
    return plain(line) ^ 0x5555555555555555;
  }
  // Returns the word of the block that an aligned address was handed out of.
  std::uint64_t entered(Block block) const noexcept { return plain(block) ^ 0x3c3c3c3c3c3c3c3c; }
  // Returns the word of a buffer that realloc made larger: link is valid, and put() takes the long
  // way.
  std::uint64_t growing(Block block) const noexcept { return plain(block) ^ 0x3333333333333333; }

  // Returns the word of a buffer in a block of a larger class than its own: put() takes the long
  // way.
  std::uint64_t borrowed(Block block) const noexcept { return plain(block) ^ 0x6969696969696969; }

  // Returns the fourth word of a block whose pages are not what they were.
  std::uint64_t altered(Block block, Alteration how) const noexcept {
    return plain(block) ^ static_cast<std::uint64_t>(how);
  }

  // Return whether the first word of a block says that it is in use, or that it is free. Pre: the
  // word can be read.
  bool is_in_use(Block block) const noexcept {
    const std::uint64_t state = guard_line(block).state;
    return state == in_use(block) || state == growing(block) || state == borrowed(block) ||
           state == entered(block);
  }
  bool is_free(Block block) const noexcept {
    const std::uint64_t state = guard_line(block).state;
    return state == free(block) || state == known_zero(block);
  }

 private:
  std::uint64_t secret_ = 0;
  std::uint64_t taken_ = 0;
};

// Writes known_zero() into the guard line of a free block that reads as zero all over. If the line
// holds any other word than 0, it is left as it is. The write comes without a read before it, so
// that a page is faulted in once. Pre: the caller has the block for itself.
inline void mark_known_zero(const Cookies& cookies, Block block) noexcept {
  std::uint64_t expected = 0;
  std::atomic_ref(guard_line(block).state)
      .compare_exchange_strong(expected, cookies.known_zero(block), std::memory_order_relaxed);
}

}  // namespace bufpool
