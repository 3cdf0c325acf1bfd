// SPDX-License-Identifier: MIT
// How much of what the caches hold is resident.
#include <algorithm>
#include <array>
#include <atomic>

#include "pool/percpu/cpu_cache.h"
#include "pool/spans/span_lookup.h"
#include "pool/telemetry/residence.h"

namespace bufpool {
namespace {

// Sequences go on meanwhile: a block may have gone, or be in the next part as well.
std::size_t copy_blocks(Stack& stack, ClassIndex c, std::size_t from,
                        std::span<Block> to) noexcept {
  const std::size_t depth = depth_of(stack.header.load(std::memory_order_acquire));
  const std::size_t end = std::min<std::size_t>(depth, max_cached_blocks(c));
  const std::size_t count = std::min(to.size(), end - std::min(from, end));
  auto* const blocks = reinterpret_cast<Block*>(&stack + 1);
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = std::atomic_ref(blocks[from + i]).load(std::memory_order_relaxed);
  }
  return count;
}

}  // namespace

// The resident bytes of the blocks that `copy` yields part by part.
template <typename Copy>
std::uint64_t CpuCache::resident_bytes_of(ClassIndex c, Residence& look, Copy copy) noexcept {
  SpanLookup spans(spans_[to_number(c)].state());
  std::array<Block, 64> part;
  std::uint64_t bytes = 0;
  std::size_t from = 0;
  for (std::size_t count = 0; (count = copy(from, std::span(part))) > 0; from += count) {
    for (const Block block : std::span(part).first(count)) {
      if (!spans.is_block(block)) continue;
      look.look_below(spans.mapped_end(block));
      bytes += look.bytes_in(block, block + stride_bytes(c));
    }
  }
  return bytes;
}

std::uint64_t CpuCache::resident_bytes(ClassIndex c, Residence& look) noexcept {
  std::uint64_t bytes = 0;
  for (std::uint32_t shard = 0; shard < shards_.count(); ++shard) {
    if (!is_used(shards_.slab(shard), c)) continue;
    bytes += resident_bytes_of(c, look, [&](std::size_t from, std::span<Block> to) {
      return shards_.copy(shard, c, from, to);
    });
  }
  const std::uint32_t cpus = cpus_seen_.load(std::memory_order_acquire);
  for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
    const SlabDistance distance = slabs_[cpu].load(std::memory_order_relaxed);
    const std::uintptr_t slab = empty_slab_address() + distance;
    if (distance == 0 || !is_used(slab, c)) continue;
    bytes += resident_bytes_of(c, look, [&](std::size_t from, std::span<Block> to) {
      return copy_blocks(stack_of(slab, c), c, from, to);
    });
  }
  return bytes;
}

}  // namespace bufpool
