// SPDX-License-Identifier: MIT
// Holds the free blocks of one class behind the CPUs' caches.
//
// They lie in spans with a bitmap each. Blocks are handed out from the fuller spans, so that empty
// spans appear and their pages can be given back. The spans are cut from runs of chunks. Each run
// knows which of its pages have no memory. A block that is out of the spans has no such page,
// unless WideBlocks handed it out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/addresses/guard_line.h"
#include "pool/addresses/size_classes.h"
#include "pool/spans/taken.h"
#include "pool/state/span_state.h"

namespace bufpool {

// Takes blocks of one class and gives them back for the CPUs' caches. It holds the state of the
// class, on which the other classes of this room and those below work. Any thread and any signal
// handler may call all functions. None of them waits for longer than OwnerLock::lock() does.
class SharedSpans {
 public:
  static constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};

  // Opens the class. `most_out` is how many blocks may be out of the spans at once. Only the first
  // call counts. It takes the lock, and does nothing if the lock is refused. Pre: `space` is open
  // and outlives this; no fork is under way.
  void open(ClassIndex c, ChunkSpace* space, std::uint64_t most_out = kNoLimit) noexcept;

  // Returns whether open() was called. It takes no lock.
  [[nodiscard]] bool is_open() const noexcept {
    return state_.is_open.load(std::memory_order_acquire);
  }

  // Returns whether a span was ever cut. If it returns true, what open() wrote can be read. It
  // takes no lock.
  [[nodiscard]] bool is_used() const noexcept {
    return state_.is_used.load(std::memory_order_acquire);
  }

  // Serves a get that missed. It takes up to blocks.size() blocks: blocks[0] is for the caller, and
  // the others are to be put into a cache. `asked` is the number of bytes that the caller was asked
  // for; it is counted. It takes the lock, and maps memory outside it if no block is free. It takes
  // nothing if the class is not open.
  [[nodiscard]] Taken take(std::span<Block> blocks, std::size_t asked = kWholeBlock) noexcept;
  static constexpr std::size_t kWholeBlock = std::size_t{1} << 47;

  // Takes blocks back. If `overflow` is true, the first is a buffer that the program put; all
  // others come out of a cache. It takes the lock. If the lock is refused, the blocks are left to
  // the next owner. Pre: there is at least one block.
  void give(std::span<const Block> blocks, bool overflow) noexcept;

  // Takes blocks back that take() meant for a cache and that found no room there. It does all else
  // that give() does.
  void give_unfilled(std::span<const Block> blocks) noexcept;

  // Returns the figures that are read without the lock. They may be a moment old.
  const SpanFigures& figures() const noexcept { return state_.figures; }

  // Returns a consistent copy of the counters. It first collects the blocks that were given without
  // the lock. It takes the lock. If the lock is refused, the copy may be half changed: a fork does
  // not wait for it. All are 0 if the class is not open.
  [[nodiscard]] SpanCounters counters() noexcept;

  // Returns the blocks that were given without the lock and that no owner has collected yet. They
  // count as given, but are not in the counters.
  const DeferredBlocks& deferred() const noexcept { return state_.deferred; }

  // Makes the blocks that are out now the most that were out at once. It takes the lock, and does
  // nothing if the lock is refused.
  void reset_peak() noexcept;

  // Returns the lock, for a fork to wait for its owner and for a child to repair it.
  OwnerLock& lock() noexcept { return state_.lock; }

  // Returns the state, which the other classes of this room and those below work on. It takes no
  // lock.
  SpanState& state() noexcept { return state_; }
  const SpanState& state() const noexcept { return state_; }

 private:
  SpanState state_;
};

}  // namespace bufpool
