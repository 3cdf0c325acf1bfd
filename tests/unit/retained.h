// SPDX-License-Identifier: MIT
// Applies the rules of retention to memory of the test's own, which goes back at its end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pool/percpu/cpu_cache.h"
#include "pool/retention/retention.h"
#include "tests/unit/class_spans.h"

namespace bufpool {

// Has spans, caches and the rules over them, without a pool.
struct Retained {
  Retained(PoolMode wanted, const Options& options) {
    for_each_class([&](ClassIndex c) { spans[to_number(c)].open(c, space.get()); });
    mode = cache.open(wanted, options.cpu_cache, spans.data());
    retention.open(options, spans.data(), &cache, &returns);
  }

  // Takes a block as the pool does.
  Block take(ClassIndex c) {
    if (const Block block = cache.pop(empty_stack_address(c), 1)) return block;
    if (const Block again = cache.pop_again(c, 1)) return again;
    const CpuCache::Refill refill = cache.refill(c, buffer_bytes(c));
    if (refill.fresh_bytes > 0) retention.after_fresh(refill.fresh_bytes, refill.regret_bytes);
    return refill.block;
  }
  std::vector<Block> take_bytes(ClassIndex c, std::size_t bytes) {
    std::vector<Block> blocks(bytes / nominal_bytes(c));
    for (Block& block : blocks) block = take(c);
    return blocks;
  }
  void put(ClassIndex c, const std::vector<Block>& blocks) {
    for (const Block block : blocks) {
      if (cache.push(empty_stack_address(c), block) || cache.push_again(c, block)) continue;
      cache.overflow(c, block);
    }
  }
  // Leaves `bytes` idle in the spans of a class.
  void leave_idle(ClassIndex c, std::size_t bytes) {
    put(c, take_bytes(c, bytes));
    cache.drainer().drain_all();
  }
  std::uint64_t idle(ClassIndex c) const { return spans[to_number(c)].figures().idle_bytes(); }

  OwnSpace space;
  std::array<SharedSpans, kClassSlots> spans{};
  CpuCache cache;
  ReturnsUnderWay returns;
  Retention retention;
  PoolMode mode;
};

}  // namespace bufpool
