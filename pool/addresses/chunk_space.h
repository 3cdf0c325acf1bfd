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

#include "pool/addresses/chunk_allocator.h"
#include "pool/addresses/chunk_index.h"
#include "pool/addresses/chunks.h"
#include "pool/addresses/huge_page_advice.h"
#include "pool/addresses/record_arena.h"
#include "pool/addresses/size_classes.h"

namespace bufpool {

// Counts the bytes that are mapped for buffers, and deals with the most mappings that a process may
// have (vm.max_map_count). At the end of them the kernel still makes a mapping larger, but not
// while there is one more than it allows, and it gives that one. So the page that marks the range
// as taken is a mapping in reserve. Any thread and any signal handler may call all functions but
// open() and close().
class SpaceMappings {
 public:
  // Maps the page at `mark`, which is the start of the range. It returns false if something is
  // mapped there, or if the kernel refuses. Pre: no page is mapped.
  [[nodiscard]] bool open(std::uintptr_t mark) noexcept;

  // Unmaps the page. Pre: nobody uses the range any more.
  void close() noexcept { (void)yield_one(); }

  // Unmaps the page, as the kernel refused memory: the caller then tries again. It returns false if
  // the page was unmapped before.
  [[nodiscard]] bool yield_one() noexcept;

  // Tells whether a mapping that the caller just made may stay. If not, it is the last one that the
  // process may have, and would keep all others from becoming larger. It makes a system call only
  // after yield_one(), and maps the page again.
  [[nodiscard]] bool may_keep_one() noexcept;

  // Tells whether mappings may be used up. Those that there are may become larger all the same.
  bool are_short() const noexcept { return yielded_.load(std::memory_order_relaxed); }

  // The sum of the bytes that are mapped for buffers. Those who map and unmap change it.
  std::atomic<std::size_t>& bytes() noexcept { return bytes_; }

 private:
  void* page() const noexcept { return reinterpret_cast<void*>(mark_); }

  std::uintptr_t mark_ = 0;
  std::atomic<bool> yielded_{false};
  std::atomic<std::size_t> bytes_{0};
};

// Holds the region of each class. A region that was never opened has no page of memory, and a fork
// waits only for the locks of open regions.
class ChunkRegions {
 public:
  // Opens the region of a class in `range`: chunks may be taken from it then. Pre: it is called
  // once for a class, and no fork is under way.
  void open(ClassIndex c, const ChunkRange& range) noexcept {
    regions_[to_number(c)].open(range.region_start(c), range.region_bytes());
    is_open_[to_number(c)].store(true, std::memory_order_release);
  }

  // Returns the chunks of a region. Pre: it is open.
  ChunkAllocator& operator[](ClassIndex c) noexcept { return regions_[to_number(c)]; }

  // Calls `visit` with each open region.
  template <typename Visit>
  void for_each_open(Visit visit) noexcept {
    for_each_class([&](ClassIndex c) {
      if (is_open_[to_number(c)].load(std::memory_order_acquire)) visit((*this)[c]);
    });
  }

 private:
  std::array<std::atomic<bool>, kClassSlots> is_open_{};
  // A region is as large as two pages. To write to each at the start would take 86 page faults.
  std::array<ChunkAllocator, kClassSlots> regions_{};
};

// Knows the range of the pool's addresses and who owns which chunk of it. Any thread may call all
// functions but open() and close(), and a signal handler may, too.
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

  // Returns the regions of the classes.
  ChunkRegions& regions() noexcept { return regions_; }

  // The memory for the records of runs and spans.
  RecordArena& records() noexcept { return records_; }

  // Whether the classes ask the kernel for huge pages.
  HugePageAdvice& huge_pages() noexcept { return huge_pages_; }

  // What is mapped in the range.
  SpaceMappings& mappings() noexcept { return mappings_; }

  // A fork calls these for all locks of the space, see OwnerLock. Pre: no class is opened
  // meanwhile.
  void await_owners() noexcept;
  void repair_in_child() noexcept;

 private:
  bool open_near(std::uintptr_t near, bool quiet) noexcept;
  bool open_at(std::uintptr_t start, std::uint32_t region_shift) noexcept;

  ChunkRange range_;
  HugePageAdvice huge_pages_;
  SpaceMappings mappings_;
  RecordArena records_;
  ChunkRegions regions_;
  ChunkIndex index_;
};

}  // namespace bufpool
