// SPDX-License-Identifier: MIT
// The counters of the caches, and what they hold.
#include "pool/percpu/cpu_cache.h"

namespace bufpool {

template <typename Visit>
void CpuCache::for_each_slab(Visit visit) const noexcept {
  for (std::uint32_t shard = 0; shard < shards_.count(); ++shard) visit(shards_.slab(shard));
  const std::uint32_t cpus = cpus_seen_.load(std::memory_order_acquire);
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    const SlabDistance distance = slabs_[cpu].load(std::memory_order_relaxed);
    if (distance != 0) visit(empty_slab_address() + distance);
  }
}

bool CpuCache::holds(ClassIndex c, Block block) noexcept {
  for (std::uint32_t shard = 0; shard < shards_.count(); ++shard) {
    if (shards_.holds(shard, c, block)) return true;
  }
  const std::uint32_t cpus = cpus_seen_.load(std::memory_order_acquire);
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    const SlabDistance distance = slabs_[cpu].load(std::memory_order_relaxed);
    if (distance == 0) continue;
    const std::uintptr_t slab = empty_slab_address() + distance;
    if (is_used(slab, c) && bufpool::holds(stack_of(slab, c), block)) return true;
  }
  return false;
}

std::uint64_t CpuCache::idle_bytes() const noexcept {
  std::uint64_t bytes = 0;
  for_each_slab([&](std::uintptr_t slab) {
    for_each_used_class(slab, [&](ClassIndex c) {
      const std::uint64_t header = stack_of(slab, c).header.load(std::memory_order_relaxed);
      bytes += depth_of(header) * stride_bytes(c);
    });
  });
  return bytes;
}

StackCounters CpuCache::counters(ClassIndex c) const noexcept {
  StackCounters sum{};
  for_each_slab([&](std::uintptr_t slab) {
    if (!is_used(slab, c)) return;
    const Stack& stack = stack_of(slab, c);
    const std::uint64_t header = stack.header.load(std::memory_order_relaxed);
    sum.hits += hits_of(header);
    sum.depth += depth_of(header);
    sum.asked += stack.asked.load(std::memory_order_relaxed);
  });
  return sum;
}

// Called when more blocks than ever are out of the spans: only then can more be in use than ever,
// but for those that were cached.
void CpuCache::note_peak(ClassIndex c) noexcept {
  const std::uint64_t out = spans_[to_number(c)].counters().outstanding();
  const std::uint64_t cached = counters(c).depth;
  const std::uint64_t in_use = out > cached ? out - cached : 0;
  std::atomic<Peak>& peak = in_use_peak_[to_number(c)];
  Peak seen = peak.load(std::memory_order_relaxed);
  while (seen.blocks() < in_use && !peak.compare_exchange_weak(seen, Peak(in_use))) {
  }
}

}  // namespace bufpool
