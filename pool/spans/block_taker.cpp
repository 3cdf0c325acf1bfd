// SPDX-License-Identifier: MIT
#include "pool/spans/block_taker.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "pool/mapping/huge_pages.h"
#include "pool/mapping/span_growth.h"
#include "pool/options/policy.h"
#include "pool/platform/memory.h"

namespace bufpool {

// Each round takes blocks from the spans there are, and cuts a span from mapped pages if none has a
// free block (carve_span()). A round that finds neither grows the class outside the lock: grow()
// maps pages, and the next round reaches carve_span() and finds them. Another thread may take them
// before that; then this thread grows the class again.
Taken BlockTaker::take(std::span<Block> blocks, std::size_t asked, const WideTake* wide) noexcept {
  for (;;) {
    GrowthStep step{};
    {
      const LockedSpans locked(state_);
      if (!locked) return {.why = Shortage::kLock};
      Taken taken = take_once(blocks, wide);
      count(taken, asked);
      if (taken.count > 0) return taken;
      if (state_.counters.outstanding() >= state_.most_out) return {.why = Shortage::kLimit};
      step = choose_growth(state_);
    }
    if (!grow(state_, step)) return {.why = Shortage::kMemory};
  }
}

Taken BlockTaker::take_once(std::span<Block> blocks, const WideTake* wide) noexcept {
  state_.collect_deferred();
  Taken taken{};
  if (state_.counters.outstanding() >= state_.most_out) return taken;
  const std::uint64_t room = state_.most_out - state_.counters.outstanding();
  if (wide != nullptr) {
    take_wide(*wide, blocks[0], taken);
  } else {
    take_narrow(blocks.first(std::min<std::size_t>(blocks.size(), room)), taken);
  }
  return taken;
}

// Counts the take, and how many of its fresh bytes are about to be touched. In a span of several
// blocks all of them are, as the other blocks are about to be handed out, too. A block that has a
// span for itself may be much larger than what is asked for, so only the pages that were asked for
// are. The rest of a huge page gets its memory with the first touch, so it counts always.
void BlockTaker::count(Taken& taken, std::size_t asked) noexcept {
  if (taken.count == 0) return;
  begin_peak();
  SpanCounters& counters = state_.counters;
  const std::uint64_t came_along = std::exchange(state_.came_along, 0);
  taken.about_to_touch = state_.geometry.span_blocks > 1
                             ? taken.fresh_bytes
                             : std::min(taken.fresh_bytes, platform::page_above(asked));
  taken.about_to_touch += came_along;
  taken.fresh_bytes += came_along;
  ++counters.misses;
  counters.filled += taken.count - 1;
  counters.faulted_bytes += taken.about_to_touch;
  // Pages that never had memory look like those that went back. No more is regretted than went back.
  const std::uint64_t regretted = std::min(taken.about_to_touch, taken.regret_bytes);
  counters.regretted_bytes = std::min(counters.regretted_bytes + regretted, counters.purged_bytes);
  taken.new_outstanding_peak = counters.outstanding() > counters.outstanding_peak;
  if (taken.new_outstanding_peak) counters.outstanding_peak = counters.outstanding();
}

// In a forked child the peak begins anew, with what was out before its first take.
void BlockTaker::begin_peak() noexcept {
  if (state_.peak_of == OwnerLock::times_entered()) return;
  state_.peak_of = OwnerLock::times_entered();
  state_.counters.outstanding_peak = state_.counters.outstanding();
}

void BlockTaker::take_narrow(std::span<Block> blocks, Taken& taken) noexcept {
  while (taken.count < blocks.size()) {
    Span* const span = choose_span(taken.count > 0);
    const std::uint32_t before = taken.count;
    if (span != nullptr) take_from(*span, blocks, taken);
    if (taken.count == before) return;
  }
}

// A partly used span comes first, then the idle span whose pages are warm, then one without pages.
// The partly used spans are listed by powers of two of their free blocks. The span that comes first
// has less than twice as many free blocks as the fullest one. It is the last that came to its list.
Span* BlockTaker::choose_span(bool with_pages) noexcept {
  const auto last = with_pages ? SpanList::kIdle : SpanList::kPurged;
  for (auto list = static_cast<std::uint8_t>(SpanList::kPartial);
       list <= static_cast<std::uint8_t>(last); ++list) {
    if (Span* const span = state_.lists.front(static_cast<SpanList>(list))) return span;
  }
  return with_pages ? nullptr : carve_span(state_);
}

// Blocks with pages are taken, if the span has some. A block without is for the caller, and brings
// its neighbours along.
void BlockTaker::take_from(Span& span, std::span<Block> blocks, Taken& taken) noexcept {
  const bool zero = span.zero;
  state_.uncount(span);
  if (span.list != SpanList::kPurged) take_free(span, blocks, taken, Pages::kThere, zero);
  if (taken.count == 0) take_free(span, blocks, taken, Pages::kAny, zero);
  span.zero = false;
  span.was_used = span.touched = span.run->touched = true;
  if (span.free_blocks == 0) span.has_empty = false;
  state_.file(span);
}

void BlockTaker::take_free(Span& span, std::span<Block> blocks, Taken& taken, Pages pages,
                           bool zero) noexcept {
  PageMap& empty = span.run->empty;
  std::uint32_t passed_over = 0;
  for (std::uint32_t word = 0; word < span.free.size(); ++word) {
    for (std::uint64_t left = span.free[word]; left != 0; left &= left - 1) {
      if (taken.count == blocks.size() || passed_over == policy::kBlocksPassedOver) return;
      const std::uint32_t index = word * 64 + static_cast<std::uint32_t>(std::countr_zero(left));
      const PageRange range = pages_of_block(span, index, state_.geometry);
      const bool has_empty = span.has_empty && empty.count(range) > 0;
      if (has_empty && pages == Pages::kThere) {
        ++passed_over;
        continue;
      }
      const std::size_t fresh = has_empty ? empty.clear(range) : 0;
      if (fresh > 0) note_fresh(span, fresh * platform::kPageBytes, taken);
      const bool reads_zero = zero || fresh == range.count();
      if (reads_zero && taken.zeroed == taken.count) ++taken.zeroed;
      span.free[word] &= ~(left & -left);
      --span.free_blocks;
      blocks[taken.count++] = block_at(span, index, state_.geometry);
    }
  }
}

void BlockTaker::note_fresh(const Span& span, std::uint64_t bytes, Taken& taken) noexcept {
  taken.fresh_bytes += bytes;
  if (!span.was_purged) {
    if (state_.dropped.has_any()) {
      taken.regret_bytes += state_.dropped.regret(bytes, state_.clock_ms());
    }
  } else if (span_age(state_.clock_ms(), span.since_ms) < kRegret) {
    taken.regret_bytes += bytes;
  }
}

Span* BlockTaker::choose_wide_span() noexcept {
  if (Span* const idle = state_.lists.front(SpanList::kIdle)) return idle;
  if (Span* const purged = state_.lists.front(SpanList::kPurged)) return purged;
  return carve_span(state_);
}

void BlockTaker::take_wide(const WideTake& wide, Block& block, Taken& taken) noexcept {
  Span* const span = choose_wide_span();
  if (span == nullptr) return;
  const HugePages huge_pages(*state_.space, state_.geometry);
  state_.uncount(*span);
  taken.lent_bytes = span->kept > wide.used ? span->kept - wide.used : 0;
  if (wide.offset != WideTake::kAnywhere) span->offset = static_cast<std::uint16_t>(wide.offset);
  block = block_at(*span, 0, state_.geometry);
  const PageRange pages = huge_pages.pages_brought_by(*span, block, wide.used);
  const std::size_t fresh = span->run->empty.clear(pages);
  if (fresh > 0) note_fresh(*span, fresh * platform::kPageBytes, taken);
  span->free[0] = 0;
  span->free_blocks = 0;
  span->zero = false;
  span->was_used = span->touched = span->run->touched = true;
  taken.count = 1;
  state_.file(*span);
}

}  // namespace bufpool
