// SPDX-License-Identifier: MIT
// Gives names to the marks of blocks, which are words of their guard lines.
#pragma once

#include <cstdint>

#include "pool/addresses/guard_line.h"
#include "pool/addresses/size_classes.h"
#include "pool/blocks/growing_size.h"

namespace bufpool {

enum class BlockState : std::uint8_t {
  kInUse,      // a buffer that put() takes the short way, unless every put goes the long way
  kGrowing,    // a buffer that realloc made larger
  kBorrowed,   // a buffer in use in a way that its put must look at
  kEntered,    // an aligned address inside the block was handed out
  kFree,       // free, with any contents
  kKnownZero,  // free, and the buffer reads as zero
  kUnmarked,   // the word is none of ours
};

// Reads and writes the marks. It is a value: two words that are the same in the whole process. Any
// thread may call all, and so may a signal handler; the caller owns the block that it marks.
class BlockMarks {
 public:
  constexpr BlockMarks() noexcept = default;
  // `cookies` are the words that the marks are written by.
  explicit constexpr BlockMarks(const Cookies& cookies) noexcept : cookies_(cookies) {}

  // The hit paths call the next four: a store, a comparison, a store, a comparison.
  [[gnu::always_inline]] void mark_in_use(Block block) const noexcept {
    guard_line(block).state = cookies_.in_use(block);
  }
  // Tells whether put() may take the short way.
  [[gnu::always_inline]] bool is_plain(Block block) const noexcept {
    return guard_line(block).state == cookies_.plain(block);
  }
  [[gnu::always_inline]] void mark_free(Block block) const noexcept {
    guard_line(block).state = cookies_.free(block);
  }
  [[gnu::always_inline]] bool is_growing(Block block) const noexcept {
    return guard_line(block).state == cookies_.growing(block);
  }

  // Returns the state that the first word tells.
  [[nodiscard]] BlockState state(Block block) const noexcept {
    const std::uint64_t word = guard_line(block).state;
    if (word == cookies_.in_use(block)) return BlockState::kInUse;
    if (word == cookies_.growing(block)) return BlockState::kGrowing;
    if (word == cookies_.borrowed(block)) return BlockState::kBorrowed;
    if (word == cookies_.entered(block)) return BlockState::kEntered;
    if (word == cookies_.free(block)) return BlockState::kFree;
    return word == cookies_.known_zero(block) ? BlockState::kKnownZero : BlockState::kUnmarked;
  }

  // The slow paths write these marks. mark_growing() writes the size, too.
  void mark_growing(Block block, GrowingSize size) const noexcept {
    guard_line(block) = GuardLine{cookies_.growing(block), size.word()};
  }
  // The put of the buffer has to look at the words behind the first.
  void mark_borrowed(Block block) const noexcept {
    guard_line(block).state = cookies_.borrowed(block);
  }
  // The block is free, and its buffer reads as zero from its first byte to its last.
  void mark_known_zero(Block block) const noexcept {
    guard_line(block).state = cookies_.known_zero(block);
  }

  // Marks a block as one that an aligned address was handed out of, and the guard line in front of
  // that address as one that leads back to the block. `gap` is gap_bytes() of the block's class.
  void mark_entry(Block block, std::uintptr_t entry, std::size_t gap) const noexcept {
    const Block line = entry - gap;
    guard_line(block) = GuardLine{cookies_.entered(block), entry};
    guard_line(line) = GuardLine{cookies_.aligned_entry(line), block};
  }

  // Tells whether the guard line in front of an address inside a block says that the address is, or
  // lately was, handed out of it.
  [[nodiscard]] bool was_entry(Block block, Block line) const noexcept {
    const GuardLine& words = guard_line(line);
    const bool cookie =
        words.state == cookies_.aligned_entry(line) || words.state == cookies_.free(line);
    return cookie && words.link == block;
  }

  // Returns the words, for marks that stand behind the first one.
  const Cookies& cookies() const noexcept { return cookies_; }

 private:
  Cookies cookies_;
};

// Tells whether the program has the block.
constexpr bool is_in_use(BlockState state) noexcept {
  return state == BlockState::kInUse || state == BlockState::kGrowing ||
         state == BlockState::kBorrowed || state == BlockState::kEntered;
}

// Tells whether the mark is one of a free block.
constexpr bool is_free(BlockState state) noexcept {
  return state == BlockState::kFree || state == BlockState::kKnownZero;
}

// Tells whether the buffer at the start of the block is in use.
constexpr bool is_whole_buffer(BlockState state) noexcept {
  return is_in_use(state) && state != BlockState::kEntered;
}

// Returns and sets the size of a growing buffer. Pre: the state is kGrowing.
[[gnu::always_inline]] inline GrowingSize growing_size(Block block) noexcept {
  return GrowingSize(guard_line(block).link);
}
[[gnu::always_inline]] inline void set_growing_size(Block block, GrowingSize size) noexcept {
  guard_line(block).link = size.word();
}

}  // namespace bufpool
