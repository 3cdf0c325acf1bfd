// SPDX-License-Identifier: MIT
// Counts what the caches hold and what they did. The stacks' headers count hits and depths; what
// they do not count is counted here.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/addresses/size_classes.h"
#include "pool/percpu/cpu_slabs.h"
#include "pool/slabs/slab.h"
#include "pool/spans/shared_spans.h"
#include "pool/spans/span_lookup.h"
#include "pool/sync/owner_lock.h"
#include "pool/telemetry/residence.h"

namespace bufpool {

// Holds the counts of a class's stacks, summed over all CPUs.
struct StackCounters {
  std::uint64_t hits;
  std::uint64_t asked;  // bytes asked for by the hits
  std::uint64_t depth;  // blocks that are cached
};

// Holds the most blocks that a process had in use. A peak that was noted before a fork is the
// parent's, and counts as none.
class Peak {
 public:
  constexpr Peak() noexcept = default;
  // Notes `blocks` for this process. They are fewer than 2^40.
  explicit Peak(std::uint64_t blocks) noexcept
      : word_(blocks << kProcessBits | OwnerLock::times_entered() % (1u << kProcessBits)) {}

  // Returns the blocks, or 0 if another process noted them. It takes no lock, and a signal handler
  // may call it.
  std::uint64_t blocks() const noexcept {
    const std::uint64_t blocks = word_ >> kProcessBits;
    return word_ == Peak(blocks).word_ ? blocks : 0;
  }

 private:
  static constexpr std::uint32_t kProcessBits = 24;
  std::uint64_t word_ = 0;
};

// Reads the counters of the caches, and counts what misses. Any thread and any signal handler may
// call anything but open() at any time. While other threads go on, the sums are not those of a
// single moment. A function takes no lock unless its comment says so. Before open() all is 0.
class CacheCounters {
 public:
  // Connects the parts. Pre: it is called once; both outlive this; `spans` has kClassSlots
  // elements.
  void open(CpuSlabs* slabs, SharedSpans* spans) noexcept {
    slabs_ = slabs;
    spans_ = spans;
  }

  // Returns the counts of the class's stacks. Hits are exact once the threads that made them are
  // joined with.
  StackCounters of(ClassIndex c) const noexcept {
    StackCounters sum{};
    if (slabs_ == nullptr) return sum;
    const CountedSlabs counted(*slabs_);
    if (const StackSums* const then = counted.inherited(c)) {
      return {then->hits, then->asked, then->depth};
    }
    counted.for_each([&](std::uintptr_t slab) {
      if (!is_used(slab, c)) return;
      const Stack& stack = stack_of(slab, c);
      const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
      sum.hits += hits_of(header);
      sum.depth += depth_of(header, c);
      sum.asked += stack.asked.load(std::memory_order_relaxed);
    });
    return sum;
  }

  // Returns the bytes that misses of the class asked for.
  std::uint64_t asked_by_misses(ClassIndex c) const noexcept {
    return missed_asked_[to_number(c)].load(std::memory_order_relaxed);
  }

  // Returns the most blocks of the class in use since this process began, as far as its takes have
  // shown. It is 0 if there were none.
  std::uint64_t in_use_peak(ClassIndex c) const noexcept {
    return in_use_peak_[to_number(c)].load().blocks();
  }

  // Returns the bytes of the blocks in all caches.
  std::uint64_t idle_bytes() const noexcept {
    std::uint64_t bytes = 0;
    if (slabs_ == nullptr) return bytes;
    const CountedSlabs counted(*slabs_);
    if (counted.inherited(kFirstClass) != nullptr) {
      for_each_class([&](ClassIndex c) { bytes += of(c).depth * stride_bytes(c); });
      return bytes;
    }
    counted.for_each([&](std::uintptr_t slab) {
      for_each_used_class(slab, [&](ClassIndex c) {
        const std::uint64_t header = stack_of(slab, c).header.load(std::memory_order_relaxed);
        bytes += depth_of(header, c) * stride_bytes(c);
      });
    });
    return bytes;
  }

  // Returns whether the block is in a cache. In locked mode it takes the shards' locks; a shard
  // whose lock cannot be had does not count.
  [[nodiscard, gnu::cold]] bool holds(ClassIndex c, Block block) const noexcept {
    bool held = false;
    for_each_slab([&](auto& slabs, std::uint32_t number) {
      held =
          held || (is_used(slabs.slab(number), c) && slabs.read(number, [&](std::uintptr_t slab) {
            return bufpool::holds(stack_of(slab, c), c, block);
          }));
    });
    return held;
  }

  // Returns the bytes of the class's cached blocks that lie in resident pages. Blocks that move
  // meanwhile may be counted or not. `look` may make system calls. It takes the lock of the class's
  // spans, and in locked mode the shards' locks while it copies; a shard whose lock cannot be had
  // does not count.
  [[nodiscard]] std::uint64_t resident_bytes(ClassIndex c, Residence& look) const noexcept;

  // Forgets the peak of the class.
  void reset_peak(ClassIndex c) noexcept { in_use_peak_[to_number(c)].store(Peak{}); }

  // Counts a take of the class that missed, for `asked` bytes.
  void note_miss(ClassIndex c, std::size_t asked) noexcept {
    missed_asked_[to_number(c)].fetch_add(asked, std::memory_order_relaxed);
  }

  // Notes the peak of the class. It is called when more of its blocks than ever are out of the
  // spans: only then can more be in use than ever, but for those that were cached. It takes the
  // lock of the class's spans.
  void note_peak(ClassIndex c) noexcept {
    const std::uint64_t out = spans_[to_number(c)].counters().outstanding();
    const std::uint64_t cached = of(c).depth;
    const std::uint64_t in_use = out > cached ? out - cached : 0;
    std::atomic<Peak>& peak = in_use_peak_[to_number(c)];
    Peak seen = peak.load(std::memory_order_relaxed);
    while (seen.blocks() < in_use && !peak.compare_exchange_weak(seen, Peak(in_use))) {
    }
  }

 private:
  // Calls visit(slabs, number) for every slab. Before open() there are none.
  template <typename Visit>
  void for_each_slab(Visit visit) const noexcept {
    if (slabs_ != nullptr) slabs_->for_each(visit);
  }

  // Returns the resident bytes of the blocks that are in `part`.
  std::uint64_t resident_bytes_of(ClassIndex c, std::span<const Block> part,
                                  Residence& look) const noexcept {
    SpanLookup spans(spans_[to_number(c)].state());
    std::uint64_t bytes = 0;
    for (const Block block : part) {
      if (!spans.is_block(block)) continue;
      look.look_below(spans.mapped_end(to_address(block)));
      bytes += look.bytes_in(to_address(block), end_address(block, c));
    }
    return bytes;
  }

  CpuSlabs* slabs_ = nullptr;
  SharedSpans* spans_ = nullptr;
  std::array<std::atomic<Peak>, kClassSlots> in_use_peak_{};
  std::array<std::atomic<std::uint64_t>, kClassSlots> missed_asked_{};
};

inline std::uint64_t CacheCounters::resident_bytes(ClassIndex c, Residence& look) const noexcept {
  std::uint64_t bytes = 0;
  for_each_slab([&](auto& slabs, std::uint32_t number) {
    if (!is_used(slabs.slab(number), c)) return;
    std::array<Block, 64> part;
    for (std::size_t from = 0, count = 0;; from += count) {
      count = slabs.read(number, [&](std::uintptr_t slab) {
        return copy_blocks(stack_of(slab, c), c, from, std::span(part));
      });
      if (count == 0) return;
      bytes += resident_bytes_of(c, std::span(part).first(count), look);
    }
  });
  return bytes;
}

}  // namespace bufpool
