// SPDX-License-Identifier: MIT
#include "pool/pages/span_purge.h"

#include <algorithm>

#include "pool/pages/zeroing.h"

namespace bufpool {
namespace {

bool follows(const Span& before, const Span& after) noexcept {
  return before.run == after.run && before.number + 1 == after.number;
}

}  // namespace

SpanBatch SpanPurge::detach_idle_spans(std::uint32_t now_ms, Milliseconds min_age,
                                       std::uint64_t most_bytes) noexcept {
  SpanBatch batch;
  const LockedSpans locked(state_);
  if (!locked) return batch;
  state_.collect_deferred();
  std::uint64_t bytes = 0;
  while (batch.count < SpanBatch::kMost && bytes < most_bytes) {
    Span* const span = state_.lists.back(SpanList::kIdle);
    if (span == nullptr || span_age(now_ms, span->since_ms) < min_age) break;
    state_.set_aside(*span);
    bytes += span->kept;
    batch.spans[batch.count++] = span;
  }
  return batch;
}

std::uint64_t SpanPurge::purge(SpanBatch& batch, std::uint32_t now_ms) noexcept {
  sort_by_address(batch);
  const ZeroedSpans zeroed = zero(batch);
  const LockedSpans locked(state_);
  if (!locked) return leave_to_next_owner(batch, zeroed);
  return note(batch, zeroed, now_ms);
}

void SpanPurge::sort_by_address(SpanBatch& batch) const noexcept {
  const Geometry& geometry = state_.geometry;
  std::sort(batch.spans.begin(), batch.spans.begin() + batch.count,
            [&geometry](const Span* a, const Span* b) {
              return start_of(*a, geometry) < start_of(*b, geometry);
            });
}

// Spans that follow one another go back by one call. The kernel refuses them if a page is locked
// into memory or the like. It has then given back the pages in front of that one, or none. So each
// of the spans is tried by itself.
SpanPurge::ZeroedSpans SpanPurge::zero(const SpanBatch& batch) const noexcept {
  ZeroedSpans zeroed;
  Span* const* const spans = batch.spans.data();
  for (std::uint32_t from = 0, to = 0; from < batch.count; from = to) {
    for (to = from + 1; to < batch.count && follows(*spans[to - 1], *spans[to]);) ++to;
    if (zero_row(spans + from, spans + to)) {
      zeroed.add(from, to);
      continue;
    }
    for (std::uint32_t i = from; i < to && to - from > 1; ++i) {
      if (zero_row(spans + i, spans + i + 1)) zeroed.add(i, i + 1);
    }
  }
  return zeroed;
}

bool SpanPurge::zero_row(Span* const* first, Span* const* last) const noexcept {
  const Span& lowest = **first;
  const Span& highest = **(last - 1);
  const std::uintptr_t start = start_of(lowest, state_.geometry);
  const std::uintptr_t end = start_of(highest, state_.geometry) + state_.geometry.span_bytes;
  huge_pages_.leave(*lowest.run, start, end);
  return make_zero(start, end, {lowest.head_empty, highest.tail_empty});
}

std::uint64_t SpanPurge::note(const SpanBatch& batch, const ZeroedSpans& zeroed,
                              std::uint32_t now_ms) noexcept {
  Span* const* const spans = batch.spans.data();
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < zeroed.count; ++i) {
    bytes += state_.note_purged(spans + zeroed.rows[i].from, spans + zeroed.rows[i].to, now_ms);
  }
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    spans[i]->purging = false;
    state_.file(*spans[i]);
  }
  state_.counters.purged_bytes += bytes;
  return bytes;
}

std::uint64_t SpanPurge::leave_to_next_owner(const SpanBatch& batch,
                                             const ZeroedSpans& zeroed) noexcept {
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < zeroed.count; ++i) {
    for (std::uint32_t n = zeroed.rows[i].from; n < zeroed.rows[i].to; ++n) {
      batch.spans[n]->zeroed = true;
      bytes += batch.spans[n]->kept;
    }
  }
  for (std::uint32_t i = 0; i < batch.count; ++i) state_.returned.add(*batch.spans[i]);
  return bytes;
}

}  // namespace bufpool
