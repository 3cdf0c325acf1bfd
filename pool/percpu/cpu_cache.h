// SPDX-License-Identifier: MIT
// Caches blocks in front of the spans, in a stack of free blocks for each CPU and class.
//
// A hit is a restartable sequence on this CPU's slab. A miss goes to the .cpp: it fills the stack
// from the class's shared spans, or moves a part of it into them. In locked mode every sequence
// misses, as the thread's area names a CPU that has no slab, and the shards behind locks take its
// place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/addresses/guard_line.h"
#include "pool/addresses/size_classes.h"
#include "pool/percpu/cache_capacity.h"
#include "pool/percpu/cache_counters.h"
#include "pool/percpu/cpu_slabs.h"
#include "pool/slabs/slab.h"
#include "pool/spans/shared_spans.h"
#include "pool/telemetry/snapshot.h"

namespace bufpool {

// Takes and puts blocks: the hit paths, and what a miss needs. Any thread and any signal handler
// may call anything but open() at any time. A caller of anything but pop() and push() holds no
// lock.
class CpuCache {
 public:
  // Opens the cache and returns the mode in force, see CpuSlabs::open(). `cpu_budget` is the most
  // bytes of each CPU's cache; 0 means its part of what CacheCapacity::share_out() says. `cookies`
  // are for blocks that come out of the spans known to be zero. Pre: it is called once, while no
  // other thread uses the cache; `spans` outlives it and has kClassSlots elements.
  PoolMode open(PoolMode wanted, std::uint64_t cpu_budget, SharedSpans* spans,
                Cookies cookies = {}) noexcept;

  // Takes a block off this CPU's stack, for a request of `asked` bytes. This is the hit path.
  // Returns kNoBlock if the stack is empty, if the kernel aborted the sequence (it preempted, moved
  // or signalled the thread), or if the thread sees no slab (it is not attached, the CPU has none,
  // locked mode). `stack` is empty_stack_address() of the class. A hit is 13 instructions: two
  // announce the sequence, and eleven are the sequence, up to the store that commits. It takes no
  // lock and makes no call.
  [[gnu::always_inline]] Block pop(std::uintptr_t stack, std::size_t asked) noexcept {
    return rseq_pop(thread_area, slabs_.visible(), stack, asked);
  }

  // Puts a block on this CPU's stack. This is the hit path. Returns false if the stack is at its
  // limit, and where pop() returns kNoBlock for an abort or for want of a slab. A hit is 12
  // instructions: two announce the sequence, and ten are the sequence. It takes no lock and makes
  // no call.
  [[gnu::always_inline]] bool push(std::uintptr_t stack, Block block) noexcept {
    return rseq_push(thread_area, slabs_.visible(), stack, block);
  }

  // Try again after pop() returned kNoBlock, or push() false. The thread may not have been attached
  // yet, or the CPU may have had no slab. In locked mode they take the shard's lock. The results
  // are those of pop() and push().
  [[nodiscard, gnu::cold, gnu::noinline]] Block pop_again(ClassIndex c, std::size_t asked) noexcept;
  [[nodiscard, gnu::cold, gnu::noinline]] bool push_again(ClassIndex c, Block block) noexcept;

  // Holds the result of a take that missed: a block, or kNoBlock and the reason why there is none.
  struct Refill {
    Block block = kNoBlock;
    std::uint64_t fresh_bytes = 0;  // as in Taken
    std::uint64_t regret_bytes = 0;
    std::uint64_t lent_bytes = 0;      // as in Taken
    Shortage why = Shortage::kMemory;  // if there is no block
  };

  // Takes a batch from the class's spans, under their lock, returns one block and puts the others
  // on this CPU's stack. It is called after pop_again() returned kNoBlock. It may make system
  // calls.
  [[nodiscard, gnu::cold, gnu::noinline]] Refill refill(ClassIndex c, std::size_t asked) noexcept;

  // Takes a block with room to grow, for `asked` bytes, from the class's spans, under their lock.
  // The stack is left alone. `offset` is that of WideTake. It may make system calls.
  [[nodiscard, gnu::cold, gnu::noinline]] Refill take_wide(ClassIndex c, std::size_t asked,
                                                           std::uint32_t offset) noexcept;

  // Raises the stack's limit, or moves a batch and the block from this CPU's stack to the class's
  // spans, under their lock. It is called after push_again() returned false. It makes no system
  // call, but to wait for the lock.
  [[gnu::cold, gnu::noinline]] void overflow(ClassIndex c, Block block) noexcept;

  // Return the parts that others need: who has which slab, how much the caches may hold, what they
  // hold, and draining.
  CpuSlabs& slabs() noexcept { return slabs_; }
  CacheCapacity& capacity() noexcept { return capacity_; }
  const CacheCounters& counters() const noexcept { return counters_; }
  CacheCounters& counters() noexcept { return counters_; }
  CacheDrainer& drainer() noexcept { return drainer_; }

 private:
  void note_zero(ClassIndex c, std::span<const Block> blocks) const noexcept;

  Cookies cookies_;
  SharedSpans* spans_ = nullptr;
  CacheCapacity capacity_;
  CacheDrainer drainer_;
  CacheCounters counters_;
  CpuSlabs slabs_;  // comes last: most of its pages are never touched
};

}  // namespace bufpool
