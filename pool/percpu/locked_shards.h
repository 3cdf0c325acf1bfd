// SPDX-License-Identifier: MIT
// Holds the slabs of locked mode, each behind a lock. They are for kernels, emulators and checkers
// without restartable sequences. Threads spread over the shards by address. SequencedSlabs is the
// contract for the functions that both have; the comments here say what is particular to the
// shards.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/platform/memory.h"
#include "pool/platform/process.h"
#include "pool/slabs/rseq_abi.h"
#include "pool/slabs/slab.h"
#include "pool/slabs/stack_copies.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {

class CpuSlabs;
class SlabSharing;

class LockedShards {
 public:
  static constexpr std::uint32_t kMost = 64;

  // Returns the number of shards, or 0 before open(). It takes no lock.
  std::uint32_t count() const noexcept { return count_; }

  // Returns the slab of the shard, or 0 if it may not be used. Pre: shard < count().
  std::uintptr_t slab(std::uint32_t shard) const noexcept {
    const SlabDistance distance = visible(shard);
    return distance == 0 ? 0 : empty_slab_address() + distance;
  }
  // Makes this thread's sequences miss at once. It takes no lock.
  void attach_thread() noexcept { thread_area = &area_without_cpu; }

  // Returns the slab of this thread's shard, or 0 if it may not be used.
  std::uintptr_t here() const noexcept { return slab(shard_of_thread()); }

  // Takes a block off the class's stack in this thread's shard, under the shard's lock. Returns
  // kNoBlock if the stack is empty or the lock cannot be had. `step` is kCountedPop or
  // kUncountedPop; `asked` bytes are added to the stack's sum.
  template <std::int64_t step>
  Block pop(ClassIndex c, std::uint64_t asked) noexcept {
    return pop_of<step>(shard_of_thread(), c, asked);
  }

  // Puts a block on the class's stack in this thread's shard, under the shard's lock. Returns false
  // if the stack is at its limit or the lock cannot be had. `moved` is kCountedPush or
  // kUncountedPush.
  template <std::int64_t moved>
  bool push(ClassIndex c, Block block) noexcept {
    const std::uint32_t shard = shard_of_thread();
    const ScopedLock locked(locks_[shard]);
    if (!locked) return false;
    Stack& stack = stack_of(empty_slab_address() + visible(shard), c);
    const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
    if (top_of(header) >= stack.limit.load(std::memory_order_relaxed)) return false;
    *next_block(stack, header) = block;
    set_header(stack, header + 1, moved);
    return true;
  }

  // Returns what look(slab) returns under the shard's lock, or a zero of the same type if the lock
  // cannot be had.
  template <typename Look>
  auto read(std::uint32_t shard, Look look) noexcept {
    const ScopedLock locked(locks_[shard]);
    const std::uintptr_t slab = locked ? this->slab(shard) : 0;
    return slab != 0 ? look(slab) : decltype(look(slab)){};
  }

  // Pops from the stacks of any shard. Each pop takes the shard's lock for itself, so that no lock
  // is held while blocks go to the spans.
  class Drain {
   public:
    // Makes the drain of a shard. It takes no lock. Pre: `shard` is less than shards.count(), and
    // `shards` outlives this.
    Drain(LockedShards& shards, std::uint32_t shard) noexcept : shards_(shards), shard_(shard) {}
    explicit operator bool() const noexcept { return true; }
    // Takes a block without counting a hit. Returns kNoBlock as LockedShards::pop() does.
    Block pop(ClassIndex c) const noexcept { return shards_.pop_of<kUncountedPop>(shard_, c, 0); }

   private:
    LockedShards& shards_;
    std::uint32_t shard_;
  };
  // Returns the drain of a shard. It takes no lock and cannot fail. Pre: shard < count().
  Drain begin_drain(std::uint32_t shard) noexcept { return {*this, shard}; }

 private:
  friend class CpuSlabs;
  friend class SlabSharing;

  // Maps a slab for each CPU that the process may use, kMost at most. Returns false if the system
  // refuses the memory. Pre: it is called once, while no other thread uses the shards; `visible`
  // has the distances of kMost shards, all of them 0, and outlives this. They are in memory that is
  // wiped in a forked child which may not use the shards at once.
  [[nodiscard]] bool open(SlabDistance* visible) noexcept {
    visible_ = visible;
    const std::uint32_t count = std::min(platform::usable_cpus(), kMost);
    void* const slabs = platform::map(count * kSlabLayout.bytes);
    if (slabs == nullptr) return false;
    slabs_ = reinterpret_cast<std::uintptr_t>(slabs);
    count_ = count;
    for (std::uint32_t i = 0; i < count; ++i) open_slab(mapped(i));
    show();
    return true;
  }

  // Does what slab() does, before records are placed, too.
  std::uintptr_t mapped(std::uint32_t shard) const noexcept {
    return slabs_ + shard * kSlabLayout.bytes;
  }
  // Gives up all shards, if the kernel refused to place the records of one. All requests miss then.
  void give_up(std::uint32_t /*shard*/) noexcept { given_up_ = true; }

  // Lets the shards be used, or not. All stacks are empty and full then. Pre: open() was called.
  void show() noexcept {
    for (std::uint32_t i = 0; i < count_; ++i) {
      set_visible(i, given_up_ ? 0 : mapped(i) - empty_slab_address());
    }
  }
  void hide() noexcept {
    for (std::uint32_t i = 0; i < count_; ++i) set_visible(i, 0);
  }
  SlabDistance visible(std::uint32_t shard) const noexcept {
    return std::atomic_ref(visible_[shard]).load(std::memory_order_relaxed);
  }
  void set_visible(std::uint32_t shard, SlabDistance distance) noexcept {
    std::atomic_ref(visible_[shard]).store(distance, std::memory_order_release);
  }

  // Chooses all shards to be copied for a fork. Pre: await_owners() was called.
  [[nodiscard]] bool hide_for_fork(StackCopies& copies) noexcept {
    for (std::uint32_t i = 0; i < count_; ++i) {
      if (is_used(mapped(i)) && copies.has_room(i)) copies.choose(i, true);
    }
    return true;
  }
  void show_after_fork(const StackCopies& /*copies*/) noexcept {}

  // Waits before a fork, after OwnerLock::begin_fork(), until no lock has an owner.
  void await_owners() noexcept {
    for (std::uint32_t i = 0; i < count_; ++i) locks_[i].await_owner();
  }
  // Repairs the locks in the forked child, before it may use the cache.
  void repair_in_child() noexcept {
    for (std::uint32_t i = 0; i < count_; ++i) locks_[i].repair_in_child();
  }

  std::uint32_t shard_of_thread() const noexcept {
    const auto thread = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
    // The upper bits of the hash times the count spare a division.
    const std::uint32_t hash = static_cast<std::uint32_t>(thread >> 12) * 0x9e3779b9U;
    return static_cast<std::uint32_t>(std::uint64_t{hash} * count_ >> 32);
  }

  template <std::int64_t step>
  Block pop_of(std::uint32_t shard, ClassIndex c, std::uint64_t asked) noexcept {
    const ScopedLock locked(locks_[shard]);
    if (!locked) return kNoBlock;
    Stack& stack = stack_of(empty_slab_address() + visible(shard), c);
    const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
    const Block block = next_block(stack, header)[-1];
    if (block == kNoBlock) return kNoBlock;
    const std::uint64_t sum = stack.asked.load(std::memory_order_relaxed) + asked;
    stack.asked.store(sum, std::memory_order_relaxed);
    set_header(stack, header + static_cast<std::uint64_t>(step), step == kCountedPop ? 0 : step);
    return block;
  }

  SlabDistance* visible_ = nullptr;
  bool given_up_ = false;
  std::uintptr_t slabs_ = 0;
  std::uint32_t count_ = 0;
  std::array<OwnerLock, kMost> locks_{};
};

}  // namespace bufpool
