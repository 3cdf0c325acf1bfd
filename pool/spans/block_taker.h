// SPDX-License-Identifier: MIT
// Chooses the blocks that serve a get which missed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/addresses/guard_line.h"
#include "pool/spans/taken.h"
#include "pool/state/span_state.h"

namespace bufpool {

// A block for a buffer that grows.
struct WideTake {
  static constexpr std::uint32_t kAnywhere = ~std::uint32_t{0};

  std::size_t used;      // bytes from its start that are about to be used
  std::uint32_t offset;  // where in a page it begins, of a class with slots; or kAnywhere
};

// Takes blocks of one class out of its spans. Pre: the class is open.
class BlockTaker {
 public:
  // `state` is that of the class, and outlives this.
  explicit BlockTaker(SpanState& state) noexcept : state_(state) {}

  // Takes up to blocks.size() blocks. blocks[0] is for the caller, and the others are for a cache.
  // They come from spans that are among the fullest with free blocks, so that empty spans appear.
  // Pages are taken fresh for the caller only, never just to fill a cache. `asked` is the number of
  // bytes that the caller was asked for; it is counted. It takes the lock, and maps memory outside
  // it if no block is free.
  [[nodiscard]] Taken take(std::span<Block> blocks, std::size_t asked) noexcept
      BUFPOOL_EXCLUDES(state_.lock) {
    return take(blocks, asked, nullptr);
  }

  // Takes one block, of which only the first bytes are about to be used. It does else what take()
  // does. Pre: a span of the class is one block.
  [[nodiscard]] Taken take_wide(Block& block, const WideTake& wide) noexcept
      BUFPOOL_EXCLUDES(state_.lock) {
    return take({&block, 1}, wide.used, &wide);
  }

 private:
  // The free blocks that may be taken: those with pages, or any.
  enum class Pages : std::uint8_t { kThere, kAny };

  Taken take(std::span<Block> blocks, std::size_t asked, const WideTake* wide) noexcept;
  Taken take_once(std::span<Block> blocks, const WideTake* wide) noexcept
      BUFPOOL_REQUIRES(state_.lock);
  void take_narrow(std::span<Block> blocks, Taken& taken) noexcept BUFPOOL_REQUIRES(state_.lock);
  void take_wide(const WideTake& wide, Block& block, Taken& taken) noexcept
      BUFPOOL_REQUIRES(state_.lock);
  Span* choose_span(bool with_pages) noexcept BUFPOOL_REQUIRES(state_.lock);
  Span* choose_wide_span() noexcept BUFPOOL_REQUIRES(state_.lock);
  void take_from(Span& span, std::span<Block> blocks, Taken& taken) noexcept
      BUFPOOL_REQUIRES(state_.lock);
  void take_free(Span& span, std::span<Block> blocks, Taken& taken, Pages pages, bool zero) noexcept
      BUFPOOL_REQUIRES(state_.lock);
  void note_fresh(const Span& span, std::uint64_t bytes, Taken& taken) noexcept
      BUFPOOL_REQUIRES(state_.lock);
  void count(Taken& taken, std::size_t asked) noexcept BUFPOOL_REQUIRES(state_.lock);
  void begin_peak() noexcept BUFPOOL_REQUIRES(state_.lock);

  SpanState& state_;
};

}  // namespace bufpool
