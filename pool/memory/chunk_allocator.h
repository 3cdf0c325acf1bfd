// SPDX-License-Identifier: MIT
// Which chunks of a class's region are taken. It hands out addresses, not memory: nothing is mapped
// until a span needs it, so that a process has mapped what it uses.
//
// Synchronization: one lock; no system call is made under it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/memory/chunks.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {

class ChunkAllocator {
 public:
  // Pre: nobody uses it yet.
  void open(std::uintptr_t start, std::size_t bytes) noexcept {
    start_ = next_ = start;
    end_ = start + bytes;
  }
  // Unmaps all that is in chunks. For a region that nobody uses any more.
  void close() noexcept;

  // The start of `chunks` chunks in a row, aligned to one, in which nothing is mapped. 0: none.
  [[nodiscard]] std::uintptr_t take(std::size_t chunks) noexcept;

  // Pre: take() returned them, or parts of what it returned; nothing is mapped there.
  void give(std::uintptr_t start, std::size_t chunks) noexcept;

  // Bytes of the chunks that are out.
  std::size_t bytes() const noexcept {
    return taken_.load(std::memory_order_relaxed) * kChunkBytes;
  }
  // To be called before the first take(); while a fork is under way nobody may.
  void use() noexcept { used_.store(true, std::memory_order_relaxed); }
  bool is_used() const noexcept { return used_.load(std::memory_order_relaxed); }

  // Around a fork, see OwnerLock.
  void await_owner() noexcept { lock_.await_owner(); }
  void repair_in_child() noexcept { lock_.repair_in_child(); }

 private:
  // Free chunks in a row; a range that there is no room for is given up: addresses are many.
  struct Range {
    std::uintptr_t start;
    std::size_t chunks;
    std::uintptr_t end() const noexcept { return start + chunks * kChunkBytes; }
  };
  static constexpr std::size_t kMostRanges = 512;

  std::uintptr_t take_free(std::size_t chunks) noexcept;
  void add_free(Range range) noexcept;
  void erase(std::size_t at) noexcept;

  OwnerLock lock_;
  std::uintptr_t start_ = 0;
  std::uintptr_t end_ = 0;
  std::uintptr_t next_ = 0;  // no chunk from here on was ever out
  std::atomic<std::size_t> taken_{0};
  std::atomic<bool> used_{false};
  std::size_t count_ = 0;
  std::array<Range, kMostRanges> free_{};  // ascending, never two that touch
};

}  // namespace bufpool
