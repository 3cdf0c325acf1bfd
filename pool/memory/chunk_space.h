// SPDX-License-Identifier: MIT
// The pool's address space: chunks taken by use from the regions of their classes, and who owns an
// address.
//
// Nothing of it is reserved: the range lies terabytes away from where the kernel puts mappings, so
// that it does not get there before those fill terabytes, and a chunk's pages are mapped when they
// are needed. Should a mapping of somebody else's be in it all the same, it is in no run of ours,
// and an address in it has no guard line of ours: the slow paths tell.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/memory/chunk_allocator.h"
#include "pool/memory/chunk_index.h"
#include "pool/memory/chunks.h"
#include "pool/memory/record_arena.h"
#include "pool/memory/size_classes.h"
#include "pool/options/options.h"

namespace bufpool {

class ChunkSpace {
 public:
  // False: no range can be had. Before, no address is in it. Call once.
  [[nodiscard]] bool open() noexcept;

  // Unmaps all that is in the range. For a space that nobody uses any more.
  void close() noexcept;

  // Where all chunks are; nothing before open().
  const ChunkRange& range() const noexcept { return range_; }

  // The record that was entered for the chunk of `address`; nullptr: none was.
  [[nodiscard]] void* record_at(std::uintptr_t address) const noexcept {
    return index_.find(range_.chunk_number(address));
  }

  // From now on chunks of a class may be taken. Pre: no fork is under way.
  void use(ClassIndex c) noexcept { regions_[to_number(c)].use(); }

  // The start of `chunks` chunks in a row for a class, in which nothing is mapped. 0: none.
  [[nodiscard]] std::uintptr_t take(ClassIndex c, std::size_t chunks) noexcept {
    return regions_[to_number(c)].take(chunks);
  }
  // Pre: take() returned them; nothing is mapped there.
  void give(ClassIndex c, std::uintptr_t start, std::size_t chunks) noexcept {
    regions_[to_number(c)].give(start, chunks);
  }

  // Enters a record for chunks that come from take(). False: no memory for it; nothing changed.
  [[nodiscard]] bool enter(std::uintptr_t start, std::size_t chunks, void* record) noexcept {
    return index_.set(range_.chunk_number(start), chunks, record);
  }
  // Pre: enter() returned true for them.
  void leave(std::uintptr_t start, std::size_t chunks) noexcept {
    (void)index_.set(range_.chunk_number(start), chunks, nullptr);
  }

  RecordArena& records() noexcept { return records_; }

  // Where huge pages are asked for. `may_read`: files may be read to find that out. Pre: nobody
  // takes chunks yet.
  void use_huge_pages(HugePagesChoice choice, bool may_read) noexcept {
    huge_pages_ = choice;
    if (choice == HugePagesChoice::kOn) {
      (void)may_have_huge_pages();
    } else if (!may_read) {
      huge_pages_given_.store(kNotGiven, std::memory_order_relaxed);
    }
  }
  // From now on nothing is asked for in this way, and nothing is taken back.
  void avoid_new_calls() noexcept { few_calls_.store(true, std::memory_order_relaxed); }
  bool avoids_new_calls() const noexcept { return few_calls_.load(std::memory_order_relaxed); }
  HugePagesChoice huge_pages() const noexcept { return huge_pages_; }
  // Whether the system gives any to those who ask. Reads files, once.
  [[nodiscard]] bool may_have_huge_pages() noexcept;

  // The kernel refused memory. At the end of the mappings that a process may have it refuses to
  // make one larger only while there is one more than allowed, as the last new one may be. So the
  // page that marks the range is unmapped, and the caller tries again. False: it was unmapped
  // before.
  [[nodiscard]] bool yield_mapping() noexcept;
  // Tells whether a mapping that was just made may stay. False: it is the last one that there may
  // be, and would keep all others from becoming larger. It makes a system call only after
  // yield_mapping(), and maps the page again.
  [[nodiscard]] bool may_keep_mapping() noexcept;
  // Tells whether mappings may be used up. What is mapped may become larger all the same.
  bool lacks_mappings() const noexcept { return yielded_.load(std::memory_order_relaxed); }

  // Bytes that are mapped for buffers.
  void count_committed(std::size_t bytes) noexcept {
    committed_.fetch_add(bytes, std::memory_order_relaxed);
  }
  void count_unmapped(std::size_t bytes) noexcept {
    committed_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  std::size_t committed_bytes() const noexcept {
    return committed_.load(std::memory_order_relaxed);
  }

  // Around a fork, see OwnerLock. Pre: no class is opened meanwhile.
  void await_owners() noexcept;
  void repair_in_child() noexcept;

 private:
  bool open_near(std::uintptr_t near, bool quiet) noexcept;
  bool open_at(std::uintptr_t start, std::uint32_t region_shift) noexcept;
  template <typename Visit>
  void for_each_used_region(Visit visit) noexcept;

  ChunkRange range_;
  HugePagesChoice huge_pages_ = HugePagesChoice::kAuto;
  enum : int { kUnknown, kGiven, kNotGiven };
  std::atomic<int> huge_pages_given_{kUnknown};
  std::atomic<bool> few_calls_{false};
  std::atomic<bool> yielded_{false};  // the page that marks the range
  std::atomic<std::size_t> committed_{0};
  RecordArena records_;
  std::array<ChunkAllocator, kClassSlots> regions_{};
  ChunkIndex index_;
};

}  // namespace bufpool
