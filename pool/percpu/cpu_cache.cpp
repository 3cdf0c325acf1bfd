// SPDX-License-Identifier: MIT
#include "pool/percpu/cpu_cache.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "pool/options/policy.h"
#include "pool/spans/wide_blocks.h"

namespace bufpool {
namespace {

// Returns how many blocks a refill takes from the spans, or an overflow gives to them. It is a
// batch at most, and no more than a part of the stack, so that neither is followed by the other at
// once.
std::size_t blocks_to_move(ClassIndex c, const Stack& stack) noexcept {
  const std::size_t room = limit_of(stack, c) * policy::kQuartersMoved / 4;
  return 1 + std::min<std::size_t>(batch_blocks(c) - 1, room);
}

// Notes that blocks went from the stack to the spans, as it was full.
void note_spilled(StackNotes& notes, std::size_t count) noexcept {
  const std::uint32_t before = notes.spilled.load(std::memory_order_relaxed);
  notes.spilled.store(before + static_cast<std::uint32_t>(count), std::memory_order_relaxed);
}

// Notes that blocks came from the spans. Returns whether the stack had given such away.
bool note_taken_back(StackNotes& notes, std::size_t count) noexcept {
  const std::uint32_t before = notes.spilled.load(std::memory_order_relaxed);
  const auto most = static_cast<std::uint32_t>(count);
  notes.spilled.store(before - std::min(before, most), std::memory_order_relaxed);
  return before > 0;
}

// Judges a miss of a stack that may have been drained, or may have given blocks away as it was
// full. Where neither is so, and blocks came back nevertheless, other CPUs had them.
MissReason reason_of(const Taken& taken, bool was_drained, bool was_full) noexcept {
  if (taken.regret_bytes > 0) return MissReason::kReturned;
  if (taken.fresh_bytes > 0 || taken.new_outstanding_peak) return MissReason::kCold;
  if (was_drained) return MissReason::kDrained;
  return was_full ? MissReason::kOther : MissReason::kElsewhere;
}

}  // namespace

PoolMode CpuCache::open(PoolMode wanted, std::uint64_t cpu_budget, SharedSpans* spans,
                        Cookies cookies) noexcept {
  cookies_ = cookies;
  spans_ = spans;
  const PoolMode mode = slabs_.open(wanted);
  capacity_.open(&slabs_, spans, cpu_budget);
  drainer_.open(&slabs_, spans, &capacity_);
  counters_.open(&slabs_, spans);
  return mode;
}

Block CpuCache::pop_again(ClassIndex c, std::size_t asked) noexcept {
  return slabs_.with([=](auto& slabs) {
    slabs.attach_thread();
    return slabs.template pop<kCountedPop>(c, asked);
  });
}

bool CpuCache::push_again(ClassIndex c, Block block) noexcept {
  return slabs_.with([=](auto& slabs) {
    slabs.attach_thread();
    return slabs.template push<kCountedPush>(c, block);
  });
}

CpuCache::Refill CpuCache::refill(ClassIndex c, std::size_t asked) noexcept {
  std::array<Block, kMaxBatch> blocks;
  std::size_t count = 1;
  bool was_drained = false;
  const std::uintptr_t slab = slabs_.here();
  if (slab != 0) {
    was_drained = capacity_.move_limit(slab, c, StackEvent::kRanEmpty);
    count = blocks_to_move(c, stack_of(slab, c));
  }
  SharedSpans& spans = spans_[to_number(c)];
  const Taken taken = spans.take(std::span(blocks).first(count), asked);
  if (taken.count == 0) return {.why = taken.why};
  const bool was_full = slab == 0 || note_taken_back(notes_of(slab, c), taken.count);
  counters_.note_miss(c, asked, reason_of(taken, was_drained, was_full));
  note_zero(c, std::span(blocks).first(taken.zeroed));
  std::uint32_t pushed = 1;
  while (pushed < taken.count && slabs_.push<kUncountedPush>(c, blocks[pushed])) ++pushed;
  if (pushed < taken.count) {
    spans.give_unfilled(std::span(blocks).subspan(pushed, taken.count - pushed));
  }
  if (taken.new_outstanding_peak) counters_.note_peak(c);
  return {blocks[0], taken.fresh_bytes, taken.regret_bytes};
}

CpuCache::Refill CpuCache::take_wide(ClassIndex c, std::size_t asked,
                                     std::uint32_t offset) noexcept {
  Block block = kNoBlock;
  const Taken taken =
      WideBlocks(spans_[to_number(c)].state()).take(block, {gap_bytes(c) + asked, offset});
  if (taken.count == 0) return {.why = taken.why};
  counters_.note_miss(c, asked, reason_of(taken, false, true));
  if (taken.new_outstanding_peak) counters_.note_peak(c);
  return {block, taken.fresh_bytes, taken.regret_bytes, taken.lent_bytes};
}

// Tells calloc which blocks it need not write. Only the first is handed out at once. The others go
// to the cache, and the note would fault a page of theirs in.
void CpuCache::note_zero(ClassIndex c, std::span<const Block> blocks) const noexcept {
  const std::size_t most = nominal_bytes(c) < policy::kLeastNotedInCache ? 1 : kMaxBatch;
  for (const Block block : blocks.first(std::min(blocks.size(), most)))
    mark_known_zero(cookies_, block);
}

void CpuCache::overflow(ClassIndex c, Block block) noexcept {
  std::array<Block, kMaxBatch> blocks;
  blocks[0] = block;
  std::size_t count = 1;
  if (const std::uintptr_t slab = slabs_.here()) {
    capacity_.move_limit(slab, c, StackEvent::kRanFull);
    if (slabs_.push<kCountedPush>(c, block)) return;
    const std::size_t most = blocks_to_move(c, stack_of(slab, c));
    while (count < most && (blocks[count] = slabs_.pop_uncounted(c)) != kNoBlock) ++count;
    note_spilled(notes_of(slab, c), count);
  }
  spans_[to_number(c)].give(std::span(blocks).first(count), true);
}

}  // namespace bufpool
