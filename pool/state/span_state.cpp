// SPDX-License-Identifier: MIT
#include "pool/state/span_state.h"

#include <algorithm>

#include "pool/platform/clock.h"
#include "pool/platform/memory.h"

namespace bufpool {

std::uint32_t SpanState::clock_ms() noexcept {
  if (clock_ms_ == 0) clock_ms_ = platform::now_ms();
  return clock_ms_;
}

void SpanState::uncount(const Span& span) noexcept {
  if (span.list == SpanList::kNone) return;
  (span.list == SpanList::kIdle ? counters.idle_bytes : counters.free_bytes) -= span.kept;
}

std::uint64_t SpanState::kept_bytes(const Span& span) const noexcept {
  const std::uint64_t free = span.free_blocks == geometry.span_blocks
                                 ? geometry.span_bytes
                                 : span.free_blocks * geometry.distance;
  if (!span.has_empty) return free;
  const std::uint64_t empty = span.run->empty.count(pages_of(span, geometry));
  return free - std::min(free, empty * platform::kPageBytes);
}

// A span that is all free counts as purged if no page that is the span's alone has memory.
SpanList SpanState::list_for(const Span& span) const noexcept {
  if (span.purging || span.free_blocks == 0) return SpanList::kNone;
  if (span.free_blocks < geometry.span_blocks) return partial_list(span.free_blocks);
  if (!span.has_empty) return SpanList::kIdle;
  const std::uintptr_t start = start_of(span, geometry);
  const PageRange inside = span.run->pages_in(start, start + geometry.span_bytes);
  return span.run->empty.has_all(inside) ? SpanList::kPurged : SpanList::kIdle;
}

void SpanState::file(Span& span) noexcept {
  const SpanList list = list_for(span);
  const bool counted = list != SpanList::kNone && list != SpanList::kPurged;
  span.kept = counted ? kept_bytes(span) : 0;
  if (list == SpanList::kIdle) {
    span.since_ms = clock_ms();
    counters.idle_bytes += span.kept;
  } else {
    counters.free_bytes += span.kept;
  }
  if (list != span.list) lists.move_to(span, list);
}

void SpanState::publish() noexcept {
  clock_ms_ = 0;
  const Span* const oldest = lists.back(SpanList::kIdle);
  figures.publish(counters, oldest != nullptr ? oldest->since_ms : 0);
  row.tell(counters);
}

void SpanState::set_aside(Span& span) noexcept {
  uncount(span);
  lists.move_to(span, SpanList::kNone);
  const PageRange pages = pages_of(span, geometry);
  span.purging = true;
  span.head_empty = span.run->empty.has_all({pages.first, pages.first + 1});
  span.tail_empty = span.run->empty.has_all({pages.last - 1, pages.last});
}

std::uint64_t SpanState::note_purged(Span* const* first, Span* const* last,
                                     std::uint32_t now_ms) noexcept {
  Run& run = *(*first)->run;
  const std::uintptr_t end = start_of(**(last - 1), geometry) + geometry.span_bytes;
  run.empty.set(run.pages_in(start_of(**first, geometry), end));
  run.touched = true;  // it may be without pages now
  std::uint64_t bytes = 0;
  for (; first != last; ++first) {
    Span& span = **first;
    bytes += span.kept;
    span.since_ms = now_ms;
    span.was_purged = span.has_empty = span.zero = true;
  }
  return bytes;
}

// The blocks of a batch mostly come from a few spans, so a span is looked up and filed once for a
// row of its blocks.
void SpanState::put(std::span<const Block> blocks) noexcept {
  for (std::size_t i = 0; i < blocks.size();) {
    Span& span = span_of(blocks[i]);
    const std::uintptr_t start = start_of(span, geometry);
    uncount(span);
    for (; i < blocks.size() && to_address(blocks[i]) - start < geometry.span_bytes; ++i) {
      const std::uint64_t index = index_of(span, blocks[i], geometry);
      span.free[index / 64] |= std::uint64_t{1} << (index % 64);
      ++span.free_blocks;
    }
    span.touched = span.run->touched = true;
    file(span);
  }
}

void SpanState::collect_returned() noexcept {
  for (Span* span = returned.take_all(); span != nullptr;) {
    Span* const next = span->next;
    if (span->zeroed) counters.purged_bytes += note_purged(&span, &span + 1, clock_ms());
    span->purging = span->zeroed = false;
    file(*span);
    span = next;
  }
}

// The blocks that the program did not put count as drained. The sum of both is exact at once. Each
// of them is exact once no thread is about to defer any more.
void SpanState::collect_deferred() noexcept {
  collect_returned();
  Block block = deferred.take_all();
  if (block == kNoBlock) return;
  std::uint64_t count = 0;
  for (; block != kNoBlock; ++count) {
    const Block next = DeferredBlocks::unlink(block);
    forget_empty(block);
    put({&block, 1});
    block = next;
  }
  const std::uint64_t overflows = deferred.note_collected(count);
  counters.overflows += overflows;
  counters.drained += count - overflows;
}

// A block that was deferred may have been one that grew, so all its pages may have memory.
void SpanState::forget_empty(Block block) noexcept {
  Span& span = span_of(block);
  if (geometry.span_blocks != 1 || !span.has_empty) return;
  span.run->empty.clear(pages_of(span, geometry));
  span.has_empty = false;
}

void SpanState::add_run(Run& run) noexcept {
  runs.add(run);
  huge_growth.add_run(run.chunks * kChunkBytes, run.had_huge);
  if (!run.had_huge) proof = &run;
  counters.carved_bytes += run.cut * geometry.span_bytes;
  mapped_bytes.fetch_add(run.committed, std::memory_order_relaxed);
  chunks.fetch_add(run.chunks, std::memory_order_relaxed);
}

void SpanState::remove_run(Run& run) noexcept {
  runs.remove(run);
  huge_growth.remove_run(run.chunks * kChunkBytes, run.had_huge);
  if (proof == &run) proof = nullptr;
  counters.carved_bytes -= run.cut * geometry.span_bytes;
  mapped_bytes.fetch_sub(run.committed, std::memory_order_relaxed);
  chunks.fetch_sub(run.chunks, std::memory_order_relaxed);
  space->leave(run.start, run.chunks);
}

}  // namespace bufpool
