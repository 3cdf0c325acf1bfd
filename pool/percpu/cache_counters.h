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
#include "pool/sync/own_count.h"
#include "pool/telemetry/residence.h"

namespace bufpool {

// Holds the counts of a class's stacks, summed over all CPUs.
struct StackCounters {
  std::uint64_t hits;
  std::uint64_t asked;  // bytes asked for by the hits
  std::uint64_t depth;  // blocks that are cached
};

// Says why a get missed. With kOther the stack had been full before and had given the blocks away,
// the CPU has no slab, or the buffer has room to grow.
enum class MissReason : std::uint32_t {
  kCold,       // the class never had so many blocks in use, or had no pages for them
  kReturned,   // the pages had been given back to the system shortly before
  kDrained,    // the stack had been emptied, and had lost its limit
  kElsewhere,  // the stack had given no block away: they came back on other CPUs
  kOther,
};
inline constexpr std::size_t kMissReasons = 4;  // that are counted

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
    return missed_[to_number(c)].asked.load(std::memory_order_relaxed);
  }

  // Returns how often the class missed for a reason. Pre: it is not kOther.
  std::uint64_t missed(ClassIndex c, MissReason why) const noexcept {
    return missed_[to_number(c)].times[static_cast<std::size_t>(why)].load(
        std::memory_order_relaxed);
  }

  // Returns how many misses of this process asked for a size of built-in class `c`, whichever class
  // served them.
  std::uint64_t misses_of_sizes(ClassIndex c) const noexcept {
    return of_sizes_[to_number(c)].load(std::memory_order_relaxed).count();
  }

  // Returns the most blocks of the class in use since this process began, as far as its takes have
  // shown. It is 0 if there were none.
  std::uint64_t in_use_peak(ClassIndex c) const noexcept {
    return in_use_peak_[to_number(c)].load().count();
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
  void reset_peak(ClassIndex c) noexcept { in_use_peak_[to_number(c)].store(OwnCount{}); }

  // Counts a take of the class that missed, for `asked` bytes.
  void note_miss(ClassIndex c, std::size_t asked, MissReason why) noexcept {
    Missed& missed = missed_[to_number(c)];
    missed.asked.fetch_add(asked, std::memory_order_relaxed);
    if (why != MissReason::kOther) {
      missed.times[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
    }
    add_one(of_sizes_[to_number(class_of_size(asked))]);
  }

  // Notes the peak of the class. It is called when more of its blocks than ever are out of the
  // spans: only then can more be in use than ever, but for those that were cached. It takes the
  // lock of the class's spans.
  void note_peak(ClassIndex c) noexcept {
    const std::uint64_t out = spans_[to_number(c)].counters().outstanding();
    const std::uint64_t cached = of(c).depth;
    const std::uint64_t in_use = out > cached ? out - cached : 0;
    raise_to(in_use_peak_[to_number(c)], in_use);
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
  // Holds what is counted at each miss of a class, in one cache line.
  struct alignas(kLine) Missed {
    std::atomic<std::uint64_t> asked{0};
    std::array<std::atomic<std::uint64_t>, kMissReasons> times{};
  };
  std::array<std::atomic<OwnCount>, kClassSlots> in_use_peak_{};
  std::array<std::atomic<OwnCount>, kClassSlots> of_sizes_{};
  std::array<Missed, kClassSlots> missed_{};
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
