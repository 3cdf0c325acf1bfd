// SPDX-License-Identifier: MIT
#include "pool/spans/shared_spans.h"

#include "pool/spans/block_taker.h"

namespace bufpool {

void SharedSpans::open(ClassIndex c, ChunkSpace* space, std::uint64_t most_out) noexcept {
  const LockedSpans locked(state_);
  if (!locked || is_open()) return;
  state_.most_out = most_out;
  state_.geometry = Geometry(c);
  state_.space = space;
  space->regions().open(c, space->range());
  state_.is_open.store(true, std::memory_order_release);
}

Taken SharedSpans::take(std::span<Block> blocks, std::size_t asked) noexcept {
  return is_open() ? BlockTaker(state_).take(blocks, asked) : Taken{};
}

void SharedSpans::give(std::span<const Block> blocks, bool overflow) noexcept {
  const LockedSpans locked(state_);
  if (!locked) return state_.deferred.add(blocks, overflow);
  state_.collect_deferred();
  state_.counters.overflows += overflow;
  state_.counters.drained += blocks.size() - overflow;
  state_.put(blocks);
}

void SharedSpans::give_unfilled(std::span<const Block> blocks) noexcept {
  const LockedSpans locked(state_);
  if (!locked) return state_.deferred.add(blocks, false);
  state_.counters.filled -= blocks.size();
  state_.put(blocks);
}

SpanCounters SharedSpans::counters() noexcept {
  if (!is_open()) return {};
  const LockedSpans locked(state_);
  if (!locked) return state_.counters_without_lock();
  state_.collect_deferred();
  return state_.counters;
}

void SharedSpans::reset_peak() noexcept {
  const LockedSpans locked(state_);
  if (locked) state_.counters.outstanding_peak = state_.counters.outstanding();
}

}  // namespace bufpool
