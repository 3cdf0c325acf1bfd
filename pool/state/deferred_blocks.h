// SPDX-License-Identifier: MIT
// Blocks that threads gave back without the lock of the class, for the next owner to collect.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "pool/addresses/guard_line.h"

namespace bufpool {

// A lock-free list of blocks. The blocks are linked through their guard lines, which nobody else
// uses meanwhile. Any thread and any signal handler may call add(), count() and overflows().
class DeferredBlocks {
 public:
  // Adds `blocks`. `overflow` says that the first is a buffer that the program put; all others come
  // out of a cache. Pre: there is at least one block, and the blocks are the caller's.
  void add(std::span<const Block> blocks, bool overflow) noexcept;

  // An owner of the class's lock collects the blocks in three steps. take_all() takes them all and
  // returns the first; it returns 0 if there is none. unlink() frees the guard line of a block and
  // returns the block that follows it, or 0. note_collected() says how many blocks there were, and
  // returns how many of them were put by the program. If a thread adds some meanwhile, that may
  // count a block that comes with the next call.
  [[nodiscard]] Block take_all() noexcept {
    if (head_.load(std::memory_order_relaxed) == 0) return 0;
    return head_.exchange(0, std::memory_order_acquire);
  }
  static Block unlink(Block block) noexcept {
    const Block next = guard_line(block).link;
    guard_line(block).link = 0;
    return next;
  }
  std::uint64_t note_collected(std::uint64_t count) noexcept {
    const std::uint64_t overflows = overflows_.exchange(0, std::memory_order_relaxed);
    count_.fetch_sub(count, std::memory_order_relaxed);
    return overflows;
  }

  // How many blocks are in the list, and how many of those were put by the program.
  std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  std::uint64_t overflows() const noexcept { return overflows_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Block> head_{0};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> overflows_{0};
};

}  // namespace bufpool
