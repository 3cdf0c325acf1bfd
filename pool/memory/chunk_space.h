// SPDX-License-Identifier: MIT
// The pool's address space: classes take chunks of it as they need them, and an address leads to
// the record of its chunk.
//
// Nothing of the space is reserved. It lies terabytes away from where the kernel puts mappings, so
// that the kernel does not get there before those fill terabytes. The pages of a chunk are mapped
// when they are needed. If a mapping of somebody else's is in the space all the same, it is in no
// run of the pool, and no guard line of the pool is in it. The slow paths find that out.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/memory/chunk_allocator.h"
#include "pool/memory/chunk_index.h"
#include "pool/memory/chunks.h"
#include "pool/memory/huge_page_advice.h"
#include "pool/memory/record_arena.h"
#include "pool/memory/size_classes.h"

namespace bufpool {

// Knows the range of the pool's addresses and who owns which chunk of it. Any thread may call all
// functions but open(), close() and use_huge_pages(), and a signal handler may, too.
class ChunkSpace {
 public:
  // Finds the range. It returns false if none can be had. No address is in the range before. It is
  // called once.
  [[nodiscard]] bool open() noexcept;

  // Unmaps all that is mapped in the range. Pre: nobody uses the space any more.
  void close() noexcept;

  // The range that all chunks lie in. It is empty before open().
  const ChunkRange& range() const noexcept { return range_; }

  // The record that was entered for the chunk of `address`, or nullptr if there is none. It takes
  // no lock.
  [[nodiscard]] void* record_at(std::uintptr_t address) const noexcept {
    return index_.find(range_.chunk_number(address));
  }

  // Enters a record for chunks that the region's take() returned. It returns false if there is no
  // memory to note it; nothing changed then. It takes no lock. Pre: the chunks are the caller's.
  [[nodiscard]] bool enter(std::uintptr_t start, std::size_t chunks, void* record) noexcept {
    return index_.set(range_.chunk_number(start), chunks, record);
  }

  // Forgets the record of the chunks. It takes no lock. Pre: enter() returned true for them.
  void leave(std::uintptr_t start, std::size_t chunks) noexcept {
    (void)index_.set(range_.chunk_number(start), chunks, nullptr);
  }

  // The chunks of a class's region.
  ChunkAllocator& region(ClassIndex c) noexcept { return regions_[to_number(c)]; }

  // The memory for the records of runs and spans.
  RecordArena& records() noexcept { return records_; }

  // Whether the classes ask the kernel for huge pages.
  HugePageAdvice& huge_pages() noexcept { return huge_pages_; }

  // The sum of the bytes that are mapped for buffers. Those who map and unmap change it.
  std::atomic<std::size_t>& mapped_bytes() noexcept { return mapped_bytes_; }

  // A fork calls these for all locks of the space, see OwnerLock. Pre: no class is opened
  // meanwhile.
  void await_owners() noexcept;
  void repair_in_child() noexcept;

 private:
  bool open_near(std::uintptr_t near, bool quiet) noexcept;
  bool open_at(std::uintptr_t start, std::uint32_t region_shift) noexcept;
  template <typename Visit>
  void for_each_used_region(Visit visit) noexcept;

  ChunkRange range_;
  HugePageAdvice huge_pages_;
  std::atomic<std::size_t> mapped_bytes_{0};
  RecordArena records_;
  std::array<ChunkAllocator, kClassSlots> regions_{};
  ChunkIndex index_;
};

}  // namespace bufpool
