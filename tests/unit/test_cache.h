// SPDX-License-Identifier: MIT
// A CPU cache for tests, and the spans behind it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pool/cpu_cache.h"
#include "tests/unit/class_spans.h"

namespace bufpool {

// A cache and the spans behind it, in memory of their own; takes and puts as the pool does.
struct TestCache {
  explicit TestCache(PoolMode wanted, std::uint64_t budget = 32 << 20) {
    for_each_class([&](ClassIndex c) { spans[to_number(c)].open(c, space.get()); });
    mode = cache.open(wanted, budget, spans.data());
  }

  Block take(ClassIndex c, std::size_t asked = 1) {
    Block block = cache.pop(CpuCache::where_empty(c), asked);
    if (block == 0) block = cache.pop_again(c, asked);
    return block != 0 ? block : cache.refill(c, asked).block;
  }
  void put(ClassIndex c, Block block) {
    if (cache.push(CpuCache::where_empty(c), block) || cache.push_again(c, block)) return;
    cache.drain(c, block);
  }

  std::uint64_t cached_bytes() const {
    std::uint64_t sum = 0;
    for_each_class([&](ClassIndex c) { sum += cache.counters(c).depth * stride_bytes(c); });
    return sum;
  }
  SpanCounters behind(ClassIndex c) { return spans[to_number(c)].counters(); }

  OwnSpace space;
  std::array<SharedSpans, kClassSlots> spans{};
  CpuCache cache;
  PoolMode mode;
};

}  // namespace bufpool
