// SPDX-License-Identifier: MIT
// Hands out the chunks of a class's region. It hands out addresses, not memory: nothing is mapped
// until a span needs it, so that a process has mapped only what it uses.
//
// Synchronization: one lock, which is held for a few instructions. No system call is made under it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/addresses/chunks.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {

// Knows which chunks of one region are taken. Any thread may call take(), give() and bytes(), and a
// signal handler may, too.
class ChunkAllocator {
 public:
  // Says which region it is: `bytes` from `start`, an address that is a multiple of kChunkBytes.
  // Pre: nobody uses the allocator yet.
  void open(std::uintptr_t start, std::size_t bytes) noexcept BUFPOOL_NO_THREAD_ANALYSIS {
    start_ = next_ = start;
    end_ = start + bytes;
  }

  // Unmaps all that is mapped in chunks. Pre: nobody uses the region any more.
  void close() noexcept;

  // Takes `chunks` chunks in a row, in which nothing is mapped. It returns the address of the
  // first, or 0 if the region has no such row or the lock is refused. It takes the lock.
  [[nodiscard]] std::uintptr_t take(std::size_t chunks) noexcept;

  // Gives `chunks` chunks back from `start` on. If the lock is refused, they are lost to the
  // region. It takes the lock. Pre: take() returned them, or a row that they are a part of; nothing
  // is mapped there.
  void give(std::uintptr_t start, std::size_t chunks) noexcept;

  // Bytes of the chunks that are taken. It takes no lock.
  std::size_t bytes() const noexcept {
    return taken_.load(std::memory_order_relaxed) * kChunkBytes;
  }

  // A fork calls these for the lock, see OwnerLock.
  void await_owner() noexcept { lock_.await_owner(); }
  void repair_in_child() noexcept { lock_.repair_in_child(); }

 private:
  // Free chunks in a row. If there is no room for one more range, its chunks are given up. A region
  // has more addresses than a process can use.
  struct Range {
    std::uintptr_t start;
    std::size_t chunks;
    std::uintptr_t end() const noexcept { return start + chunks * kChunkBytes; }
  };
  static constexpr std::size_t kMostRanges = 512;

  std::uintptr_t take_free(std::size_t chunks) noexcept BUFPOOL_REQUIRES(lock_);
  void add_free(Range range) noexcept BUFPOOL_REQUIRES(lock_);
  void erase(std::size_t at) noexcept BUFPOOL_REQUIRES(lock_);

  OwnerLock lock_;
  std::uintptr_t start_ = 0;                           // constant once open
  std::uintptr_t end_ = 0;                             // constant once open
  std::uintptr_t next_ BUFPOOL_GUARDED_BY(lock_) = 0;  // no chunk from here on was ever taken
  std::atomic<std::size_t> taken_{0};
  std::size_t count_ BUFPOOL_GUARDED_BY(lock_) = 0;  // of the ranges
  // The addresses ascend, and no two ranges touch.
  std::array<Range, kMostRanges> free_ BUFPOOL_GUARDED_BY(lock_){};
};

}  // namespace bufpool
