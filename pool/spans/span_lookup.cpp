// SPDX-License-Identifier: MIT
#include "pool/spans/span_lookup.h"

namespace bufpool {

// A class that was never used has an address, and no index of runs.
Block SpanLookup::block_around(std::uintptr_t address) const noexcept {
  if (!state_.is_used.load(std::memory_order_acquire)) return kNoBlock;
  const Run* const run = state_.run_at(address);
  if (run == nullptr) return kNoBlock;
  const Geometry& geometry = state_.geometry;
  const std::uint64_t number = geometry.blocks_in(address - run->start);
  if (number / geometry.span_blocks >= run->span_count) return kNoBlock;
  const std::uint16_t offset = run->spans[number / geometry.span_blocks].offset;
  return Block{run->start + number * geometry.distance + offset};
}

std::uintptr_t SpanLookup::mapped_end(std::uintptr_t address) noexcept {
  const LockedSpans locked(state_);
  const Run* const run = state_.run_at(address);
  return run == nullptr ? 0 : run->start + run->committed.load(std::memory_order_acquire);
}

bool SpanLookup::is_block(Block block) noexcept {
  if (!state_.is_used.load(std::memory_order_acquire) || block == kNoBlock) return false;
  const LockedSpans locked(state_);
  const Run* const run = state_.run_at(to_address(block));
  if (run == nullptr || block_around(to_address(block)) != block) return false;
  return span_of(*run, block, state_.geometry).was_used;
}

BlockPlace SpanLookup::place_of(Block block) noexcept {
  const LockedSpans locked(state_);
  if (!locked) return BlockPlace::kUnknown;
  state_.collect_deferred();
  const Span& span = state_.span_of(block);
  const std::uint64_t index = index_of(span, block, state_.geometry);
  if (!is_free(span, index)) return BlockPlace::kOut;
  return span.was_purged ? BlockPlace::kFree : BlockPlace::kUnused;
}

}  // namespace bufpool
