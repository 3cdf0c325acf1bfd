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
  // Makes marks that are written by the words of `cookies`.
  explicit constexpr BlockMarks(const Cookies& cookies) noexcept : cookies_(cookies) {}

  // Marks a block as in use. The hit paths call this and the next three. They cost a store, a
  // comparison, a store and a comparison.
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

  // Marks a buffer that realloc made larger, and writes its size. Slow paths write this mark and
  // the next ones.
  void mark_growing(Block block, GrowingSize size) const noexcept {
    guard_line(block) = GuardLine{cookies_.growing(block), size.word()};
  }
  // Marks a buffer whose put has to look at the words behind the first.
  void mark_borrowed(Block block) const noexcept {
    guard_line(block).state = cookies_.borrowed(block);
  }
  // Marks a buffer of the short way as one whose put has to look, if it is one. It has lent
  // nothing.
  void mark_to_look(Block block, ClassIndex c) const noexcept {
    if (state(block) != BlockState::kInUse) return;
    if (has_more_words(c)) lent_bytes(block) = 0;
    mark_borrowed(block);
  }
  // Marks a free block whose buffer reads as zero from its first byte to its last.
  void mark_known_zero(Block block) const noexcept {
    guard_line(block).state = cookies_.known_zero(block);
  }

  // Marks a block as one that an aligned address was handed out of, and the guard line in front of
  // that address as one that leads back to the block. `gap` is gap_bytes() of the block's class.
  void mark_entry(Block block, std::uintptr_t entry, std::size_t gap) const noexcept {
    const Block line = block_of_buffer(entry, gap);
    guard_line(block) = GuardLine{cookies_.entered(block), entry};
    guard_line(line) = GuardLine{cookies_.aligned_entry(line), to_address(block)};
  }

  // Tells whether the guard line in front of an address inside a block says that the address is, or
  // lately was, handed out of it.
  [[nodiscard]] bool was_entry(Block block, Block line) const noexcept {
    const GuardLine& words = guard_line(line);
    const bool cookie =
        words.state == cookies_.aligned_entry(line) || words.state == cookies_.free(line);
    return cookie && words.link == to_address(block);
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
