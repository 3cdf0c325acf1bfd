// SPDX-License-Identifier: MIT
// The cache of the size classes in front of the spans: per CPU and class a stack of free blocks.
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
#include "pool/percpu/slab.h"
#include "pool/spans/shared_spans.h"
#include "pool/telemetry/snapshot.h"

namespace bufpool {

// Takes and puts blocks: the hit paths, and what a miss needs. Any thread may call anything but
// open() at any time, a signal handler too. No caller may hold a lock, but for pop() and push().
class CpuCache {
 public:
  // Returns the mode in force, see CpuSlabs::open(). `cpu_budget` is the most bytes of each CPU's
  // cache; 0 means its part of what CacheCapacity::share_out() says. `cookies` are for blocks that
  // come out of the spans known to be zero. Pre: called once, while no other thread uses the cache;
  // `spans` outlives it and has kClassSlots elements.
  PoolMode open(PoolMode wanted, std::uint64_t cpu_budget, SharedSpans* spans,
                Cookies cookies = {}) noexcept;

  // Hit path: takes a block off this CPU's stack, for a request of `asked` bytes. Returns 0 if the
  // stack is empty, if the kernel aborted the sequence (it preempted, moved or signalled the
  // thread), or if the thread sees no slab (it is not attached, the CPU has none, locked mode).
  // `stack` is empty_stack_address() of the class. A hit is 19 instructions: two announce the
  // sequence, and 17 are the sequence, up to the store that commits. Takes no lock and makes no
  // call.
  [[gnu::always_inline]] Block pop(const std::uintptr_t& stack, std::size_t asked) noexcept {
    return rseq_pop(thread_area, slabs_.visible(), stack, asked);
  }

  // Hit path: puts a block on this CPU's stack. Returns false if the stack is at its limit, and
  // where pop() returns 0 for an abort or for want of a slab. A hit is 14 instructions: two
  // announce the sequence, and twelve are the sequence. Takes no lock and makes no call.
  [[gnu::always_inline]] bool push(const std::uintptr_t& stack, Block block) noexcept {
    return rseq_push(thread_area, slabs_.visible(), stack, block);
  }

  // To be called after pop() returned 0, or push() false. They try again for a thread that was not
  // attached yet, on a CPU that had no slab, or in locked mode under the shard's lock. The results
  // are those of pop() and push().
  [[nodiscard, gnu::cold, gnu::noinline]] Block pop_again(ClassIndex c, std::size_t asked) noexcept;
  [[nodiscard, gnu::cold, gnu::noinline]] bool push_again(ClassIndex c, Block block) noexcept;

  // The result of a take that missed: a block, or 0 and the reason why there is none.
  struct Refill {
    Block block = 0;
    std::uint64_t fresh_bytes = 0;  // as in Taken
    std::uint64_t regret_bytes = 0;
    std::uint64_t lent_bytes = 0;      // as in Taken
    Shortage why = Shortage::kMemory;  // if block is 0
  };

  // To be called after pop_again() returned 0: takes a batch from the class's spans, under their
  // lock, returns one block and puts the others on this CPU's stack. It may make system calls.
  [[nodiscard, gnu::cold, gnu::noinline]] Refill refill(ClassIndex c, std::size_t asked) noexcept;

  // Takes a block with room to grow, for `asked` bytes, from the class's spans, under their lock.
  // The stack is left alone. `offset`: see WideBlocks::take(). It may make system calls.
  [[nodiscard, gnu::cold, gnu::noinline]] Refill take_wide(ClassIndex c, std::size_t asked,
                                                           std::uint32_t offset) noexcept;

  // To be called after push_again() returned false: raises the stack's limit, or moves a batch from
  // this CPU's stack to the class's spans, under their lock, the block with it. It makes no system
  // call.
  [[gnu::cold, gnu::noinline]] void overflow(ClassIndex c, Block block) noexcept;

  // The parts that others need: who has which slab, how much the caches may hold, what they hold,
  // and draining.
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
