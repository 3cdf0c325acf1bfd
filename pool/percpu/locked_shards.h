// SPDX-License-Identifier: MIT
// The slabs of locked mode, each behind a lock: for kernels, emulators and checkers without
// restartable sequences. Threads spread over the shards by address. SequencedSlabs is the contract
// for the functions that both have; the comments here say what is particular to the shards.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/percpu/rseq_abi.h"
#include "pool/percpu/slab.h"
#include "pool/platform/memory.h"
#include "pool/platform/process.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {

class LockedShards {
 public:
  static constexpr std::uint32_t kMost = 64;

  // Maps a slab for each CPU that the process may use, kMost at most. Returns false if the system
  // refuses the memory. Pre: called once, while no other thread uses the shards.
  [[nodiscard]] bool open() noexcept {
    const std::uint32_t count = std::min(platform::usable_cpus(), kMost);
    void* const slabs = platform::map(count * kSlabLayout.bytes);
    if (slabs == nullptr) return false;
    slabs_ = reinterpret_cast<std::uintptr_t>(slabs);
    count_ = count;
    return true;
  }

  // Returns the number of shards; 0 before open(). It takes no lock.
  std::uint32_t count() const noexcept { return count_; }

  // The slab of the shard. Pre: shard < count().
  std::uintptr_t slab(std::uint32_t shard) const noexcept {
    return slabs_ + shard * kSlabLayout.bytes;
  }

  // In a forked child no stack may be used before its parent's statistics page is replaced.
  void heed(const StatsPageWriter* stats) noexcept { stats_ = stats; }

  // Makes this thread's sequences miss at once. Takes no lock.
  void attach_thread() noexcept { thread_area = &area_without_cpu; }

  // The slab of this thread's shard.
  std::uintptr_t here() const noexcept { return slab(shard_of_thread()); }

  // Takes a block off the class's stack in this thread's shard, under the shard's lock. Returns 0
  // if the stack is empty or the lock cannot be had. `step` is kCountedPop or kUncountedPop;
  // `asked` bytes are added to the sum in the stack's words.
  template <std::int64_t step>
  Block pop(ClassIndex c, std::uint64_t asked) noexcept {
    return pop_of<step>(shard_of_thread(), c, asked);
  }

  // Puts a block on the class's stack in this thread's shard, under the shard's lock. Returns false
  // if the stack is at its limit or the lock cannot be had. `moved` is kCountedPush or
  // kUncountedPush.
  template <std::int64_t moved>
  bool push(ClassIndex c, Block block) noexcept {
    const ScopedLock locked(locks_[shard_of_thread()]);
    if (!locked || !may_use_stacks()) return false;
    Stack& stack = stack_of(slab(shard_of_thread()), c);
    const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
    const std::uint32_t depth = depth_of(header);
    if (depth >= stack.limit.load(std::memory_order_relaxed)) return false;
    blocks_of(stack)[depth] = block;
    set_header(stack, header + 1, moved);
    return true;
  }

  // Returns what look(slab) returns under the shard's lock; a zero of the same type if the lock
  // cannot be had.
  template <typename Look>
  auto read(std::uint32_t shard, Look look) noexcept {
    const ScopedLock locked(locks_[shard]);
    return locked ? look(slab(shard)) : decltype(look(slab(shard))){};
  }

  // Pops from the stacks of any shard. Each pop takes the shard's lock for itself, so that no lock
  // is held while blocks go to the spans.
  class Drain {
   public:
    // `shard` is less than shards.count(), and `shards` outlives this. It takes no lock.
    Drain(LockedShards& shards, std::uint32_t shard) noexcept : shards_(shards), shard_(shard) {}
    explicit operator bool() const noexcept { return true; }
    // Takes a block without counting a hit. Returns 0 as LockedShards::pop() does.
    Block pop(ClassIndex c) const noexcept { return shards_.pop_of<kUncountedPop>(shard_, c, 0); }

   private:
    LockedShards& shards_;
    std::uint32_t shard_;
  };
  // Returns the drain of a shard. It takes no lock and cannot fail. Pre: shard < count().
  Drain begin_drain(std::uint32_t shard) noexcept { return {*this, shard}; }

  // Before a fork, after OwnerLock::begin_fork(): waits until no lock has an owner.
  void await_owners() noexcept {
    for (std::uint32_t i = 0; i < count_; ++i) locks_[i].await_owner();
  }
  // In the forked child, before it may use the cache.
  void repair_in_child() noexcept {
    for (std::uint32_t i = 0; i < count_; ++i) locks_[i].repair_in_child();
  }

 private:
  std::uint32_t shard_of_thread() const noexcept {
    const auto thread = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
    // The upper bits of the hash times the count: no division.
    const std::uint32_t hash = static_cast<std::uint32_t>(thread >> 12) * 0x9e3779b9U;
    return static_cast<std::uint32_t>(std::uint64_t{hash} * count_ >> 32);
  }

  bool may_use_stacks() const noexcept { return stats_ == nullptr || stats_->is_settled(); }

  template <std::int64_t step>
  Block pop_of(std::uint32_t shard, ClassIndex c, std::uint64_t asked) noexcept {
    const ScopedLock locked(locks_[shard]);
    if (!locked || !may_use_stacks()) return 0;
    Stack& stack = stack_of(slab(shard), c);
    const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
    const std::uint32_t depth = depth_of(header);
    if (depth == 0) return 0;
    StatsStack& words = *stack.words.load(std::memory_order_relaxed);
    put_word(words.asked, words.asked + asked);
    set_header(stack, header + static_cast<std::uint64_t>(step), step == kCountedPop ? 0 : step);
    return blocks_of(stack)[depth - 1];
  }

  std::uintptr_t slabs_ = 0;
  std::uint32_t count_ = 0;
  const StatsPageWriter* stats_ = nullptr;
  std::array<OwnerLock, kMost> locks_{};
};

}  // namespace bufpool
