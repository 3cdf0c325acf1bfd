// SPDX-License-Identifier: MIT
// The contract of the restartable sequences behind a lock per shard: for kernels, emulators and
// checkers without sequences. Threads spread over the shards by address.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/percpu/slab.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {

class LockedShards {
 public:
  static constexpr std::uint32_t kMost = 64;

  // Pre: count is 1..kMost, `slabs` has room for as many slabs; called once.
  void open(std::uintptr_t slabs, std::uint32_t count) noexcept {
    slabs_ = slabs;
    count_ = count;
  }

  std::uint32_t count() const noexcept { return count_; }
  std::uintptr_t slab(std::uint32_t shard) const noexcept {
    return slabs_ + shard * kSlabLayout.bytes;
  }
  std::uint32_t shard_of_thread() const noexcept {
    const auto thread = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
    // The upper bits of the hash times the count: no division.
    const std::uint32_t hash = static_cast<std::uint32_t>(thread >> 12) * 0x9e3779b9U;
    return static_cast<std::uint32_t>(std::uint64_t{hash} * count_ >> 32);
  }

  // As rseq_pop: 0 when empty, or when the lock cannot be had.
  Block pop(std::uint32_t shard, ClassIndex c, std::uint64_t step, std::uint64_t asked) noexcept {
    if (!locks_[shard].lock()) return 0;
    Stack& stack = stack_of(slab(shard), c);
    const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
    const std::uint32_t depth = depth_of(header);
    const Block block = depth == 0 ? 0 : blocks(stack)[depth - 1];
    if (depth != 0) {
      const std::uint64_t sum = stack.asked.load(std::memory_order_relaxed) + asked;
      stack.asked.store(sum, std::memory_order_relaxed);
      stack.header.store(header + step, std::memory_order_relaxed);
    }
    locks_[shard].unlock();
    return block;
  }

  // As rseq_push: false at the limit, or when the lock cannot be had.
  bool push(std::uint32_t shard, ClassIndex c, Block block) noexcept {
    if (!locks_[shard].lock()) return false;
    Stack& stack = stack_of(slab(shard), c);
    const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
    const std::uint32_t depth = depth_of(header);
    const bool room = depth < stack.limit.load(std::memory_order_relaxed);
    if (room) {
      blocks(stack)[depth] = block;
      stack.header.store(header + 1, std::memory_order_relaxed);
    }
    locks_[shard].unlock();
    return room;
  }

  // False also when the lock cannot be had.
  bool holds(std::uint32_t shard, ClassIndex c, Block block) noexcept {
    if (!locks_[shard].lock()) return false;
    const bool held = bufpool::holds(stack_of(slab(shard), c), block);
    locks_[shard].unlock();
    return held;
  }

  // Copies the stack's blocks from the number `from` on. Returns how many; 0, too, when the lock
  // cannot be had.
  std::size_t copy(std::uint32_t shard, ClassIndex c, std::size_t from,
                   std::span<Block> to) noexcept {
    if (!locks_[shard].lock()) return 0;
    Stack& stack = stack_of(slab(shard), c);
    const std::size_t depth = depth_of(stack.header.load(std::memory_order_relaxed));
    const std::size_t count = std::min(to.size(), depth - std::min(from, depth));
    std::copy_n(blocks(stack) + from, count, to.begin());
    locks_[shard].unlock();
    return count;
  }

  // Around a fork, see OwnerLock.
  void await_owners() noexcept {
    for (std::uint32_t i = 0; i < count_; ++i) locks_[i].await_owner();
  }
  void repair_in_child() noexcept {
    for (std::uint32_t i = 0; i < count_; ++i) locks_[i].repair_in_child();
  }

 private:
  static Block* blocks(Stack& stack) noexcept { return reinterpret_cast<Block*>(&stack + 1); }

  std::uintptr_t slabs_ = 0;
  std::uint32_t count_ = 0;
  std::array<OwnerLock, kMost> locks_{};
};

}  // namespace bufpool
