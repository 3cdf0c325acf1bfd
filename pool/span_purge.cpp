// SPDX-License-Identifier: MIT
// Giving idle spans' pages back: decided under the lock, done outside it.
#include <algorithm>
#include <cstring>

#include "pool/platform.h"
#include "pool/shared_spans.h"

namespace bufpool {
bool make_zero(std::uintptr_t start, std::uintptr_t end, KnownZero known) noexcept {
  const std::uintptr_t first = platform::page_above(start);
  const std::uintptr_t last = platform::page_below(end);
  if (first >= last) return false;
  if (!platform::purge(reinterpret_cast<void*>(first), last - first)) return false;
  if (!known.start) std::memset(reinterpret_cast<void*>(start), 0, first - start);
  if (!known.end) std::memset(reinterpret_cast<void*>(last), 0, end - last);
  return true;
}

SpanBatch SharedSpans::take_idle(std::uint32_t now_ms, std::uint32_t min_age_ms,
                                 std::uint64_t most_bytes) noexcept {
  SpanBatch batch;
  const Locked locked(*this);
  if (!locked) return batch;
  collect_deferred();
  while (batch.count < SpanBatch::kMostIdle && batch.count * span_bytes_ < most_bytes &&
         !lists_.empty(SpanList::kIdle)) {
    const SpanNumber n = lists_.back(SpanList::kIdle);
    if (span_age_ms(now_ms, lists_[n].since_ms) < min_age_ms) break;
    lists_.move_to(n, SpanList::kNone);
    lists_[n].purging = true;
    counters_.idle_bytes -= span_bytes_;
    batch.spans[batch.count++] = n;
  }
  batch.idle = batch.count;
  for (std::uint32_t i = 0; i < batch.idle; ++i) {
    add_neighbour(batch, batch.spans[i] - 1);
    add_neighbour(batch, batch.spans[i] + 1);
  }
  return batch;
}

// A neighbour without pages lends itself, so that the page at the border goes back too.
void SharedSpans::add_neighbour(SpanBatch& batch, SpanNumber n) noexcept {
  if (n >= carved_.load(std::memory_order_relaxed)) return;  // span 0 has no neighbour below
  if (lists_[n].list != SpanList::kPurged) return;
  lists_.move_to(n, SpanList::kNone);
  batch.spans[batch.count++] = n;
}

// Spans next to each other go back by one call.
bool SharedSpans::purge_run(const SpanNumber* first, const SpanNumber* last) noexcept {
  const KnownZero known{!lists_[*first].purging, !lists_[*(last - 1)].purging};
  return make_zero(span_start(*first), span_start(*(last - 1) + 1), known);
}

// Where the kernel refuses a run, for a page that is locked into memory or the like, it has given
// back what lies before that page, or nothing. Each span by itself goes back, or is kept.
void SharedSpans::purge_run_or_parts(const SpanNumber* first, const SpanNumber* last,
                                     bool* done) noexcept {
  const bool whole = purge_run(first, last);
  const bool parts = last - first > 1;
  for (; first != last; ++first) *done++ = whole || (parts && purge_run(first, first + 1));
}

std::uint64_t SharedSpans::purge(SpanBatch& batch, std::uint32_t now_ms) noexcept {
  SpanNumber* const spans = batch.spans.data();
  std::sort(spans, spans + batch.count);
  bool done[SpanBatch::kMost] = {};
  for (std::uint32_t from = 0; from < batch.count;) {
    std::uint32_t to = from + 1;
    while (to < batch.count && spans[to] == spans[to - 1] + 1) ++to;
    purge_run_or_parts(spans + from, spans + to, done + from);
    from = to;
  }
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    Span& span = lists_[spans[i]];
    if (span.purging) {
      span.since_ms = now_ms;
      span.was_purged = span.was_purged || done[i];
      bytes += done[i] ? span_bytes_ : 0;
      span.zero = span.zero || done[i];
    }
    hand_back(spans[i], done[i]);
  }
  file_returned();
  return bytes;
}

// By a lock-free list, as the lock may be refused here while another thread forks. A span in no
// list has no use for its links: one is for this list, the other tells whether it was purged.
void SharedSpans::hand_back(SpanNumber n, bool purged) noexcept {
  lists_[n].prev = purged ? 1 : 0;
  SpanNumber head = returned_.load(std::memory_order_relaxed);
  do {
    lists_[n].next = head;
  } while (!returned_.compare_exchange_weak(head, n + 1, std::memory_order_release));
}

// Where the lock is refused the next owner does it.
void SharedSpans::file_returned() noexcept {
  const Locked locked(*this);
  if (locked) collect_deferred();
}

// Pre: the lock is held.
void SharedSpans::collect_returned() noexcept {
  for (SpanNumber n = returned_.exchange(0, std::memory_order_acquire); n != 0;) {
    Span& span = lists_[n - 1];
    const SpanNumber next = span.next;
    const bool kept = span.purging && span.prev == 0;
    if (span.purging) (kept ? counters_.idle_bytes : counters_.purged_bytes) += span_bytes_;
    span.purging = false;
    lists_.move_to(n - 1, kept ? SpanList::kIdle : SpanList::kPurged);
    n = next;
  }
}

}  // namespace bufpool
