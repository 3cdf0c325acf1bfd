// SPDX-License-Identifier: MIT
// Giving idle spans' pages back: decided under the lock, done outside it.
#include <algorithm>
#include <cstring>

#include "pool/platform/memory.h"
#include "pool/spans/shared_spans.h"

namespace bufpool {
namespace {

void wipe(std::uintptr_t start, std::uintptr_t end) noexcept {
  std::memset(reinterpret_cast<void*>(start), 0, end - start);
}

// As make_zero(), for a range whose ends may be known to be zero already.
bool make_zero_between(std::uintptr_t start, std::uintptr_t end, bool start_is_zero,
                       bool end_is_zero) noexcept {
  const std::uintptr_t first = platform::page_above(start);
  const std::uintptr_t last = platform::page_below(end);
  if (first >= last) return false;
  if (!platform::purge(reinterpret_cast<void*>(first), last - first)) return false;
  if (!start_is_zero) wipe(start, first);
  if (!end_is_zero) wipe(last, end);
  return true;
}

}  // namespace

bool make_zero(std::uintptr_t start, std::uintptr_t end) noexcept {
  return make_zero_between(start, end, false, false);
}

SpanBatch SharedSpans::take_idle(std::uint32_t now_ms, std::uint32_t min_age_ms,
                                 std::uint64_t most_bytes) noexcept {
  SpanBatch batch;
  const Locked locked(*this);
  if (!locked) return batch;
  collect_deferred();
  std::uint64_t bytes = 0;
  while (batch.count < SpanBatch::kMost && bytes < most_bytes) {
    Span* const span = lists_.back(SpanList::kIdle);
    if (span == nullptr || span_age_ms(now_ms, span->since_ms) < min_age_ms) break;
    set_aside(*span);
    bytes += span->kept;
    batch.spans[batch.count++] = span;
  }
  return batch;
}

// Out of reach of all others; what it keeps is still noted in it.
void SharedSpans::set_aside(Span& span) noexcept {
  forget_kept(span);
  lists_.move_to(span, SpanList::kNone);
  const PageRange range = pages_of_span(span);
  span.purging = true;
  span.head_empty = span.run->empty.count(range.first, range.first + 1) == 1;
  span.tail_empty = span.run->empty.count(range.last - 1, range.last) == 1;
}

// By a lock-free list, for where the lock is refused, as while another thread forks: the next owner
// files the span.
void SharedSpans::hand_back(Span& span) noexcept {
  Span* head = returned_.load(std::memory_order_relaxed);
  do {
    span.next = head;
  } while (!returned_.compare_exchange_weak(head, &span, std::memory_order_release));
}

// Pre: locked.
void SharedSpans::collect_returned() noexcept {
  if (returned_.load(std::memory_order_relaxed) == nullptr) return;
  for (Span* span = returned_.exchange(nullptr, std::memory_order_acquire); span != nullptr;) {
    Span* const next = span->next;
    if (span->zeroed) counters_.purged_bytes += note_purged(&span, &span + 1, clock_ms());
    span->purging = span->zeroed = false;
    file(*span);
    span = next;
  }
}

bool SharedSpans::zero_spans(Span* const* first, Span* const* last) noexcept {
  const Span& lowest = **first;
  const Span& highest = **(last - 1);
  const std::uintptr_t start = start_of(lowest);
  const std::uintptr_t end = start_of(highest) + geometry_.span_bytes;
  leave_huge_pages(*lowest.run, start, end);
  return make_zero_between(start, end, lowest.head_empty, highest.tail_empty);
}

// The spans [first, last), which follow one another in a run, read as zero. Pre: locked.
std::uint64_t SharedSpans::note_purged(Span* const* first, Span* const* last,
                                       std::uint32_t now_ms) noexcept {
  const std::uintptr_t start = start_of(**first);
  const std::uintptr_t end = start_of(**(last - 1)) + geometry_.span_bytes;
  Run& run = *(*first)->run;
  const PageRange inside = run.pages_in(start, end);
  run.empty.set(inside.first, inside.last);
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

// Spans that follow one another go back by one call. Where the kernel refuses them, for a page that
// is locked into memory or the like, it has given back what lies before that page, or nothing. Each
// by itself goes back, or is kept.
std::uint64_t SharedSpans::purge(SpanBatch& batch, std::uint32_t now_ms) noexcept {
  struct Zeroed {
    std::uint32_t from;
    std::uint32_t to;
  };
  std::array<Zeroed, SpanBatch::kMost> zeroed;
  std::uint32_t count = 0;
  Span** const spans = batch.spans.data();
  std::sort(spans, spans + batch.count,
            [this](const Span* a, const Span* b) { return start_of(*a) < start_of(*b); });
  for (std::uint32_t from = 0, to = 0; from < batch.count; from = to) {
    for (to = from + 1; to < batch.count && follows(*spans[to - 1], *spans[to]);) ++to;
    if (zero_spans(spans + from, spans + to)) {
      zeroed[count++] = {from, to};
      continue;
    }
    for (std::uint32_t i = from; i < to && to - from > 1; ++i) {
      if (zero_spans(spans + i, spans + i + 1)) zeroed[count++] = {i, i + 1};
    }
  }
  std::uint64_t bytes = 0;
  const Locked locked(*this);
  if (!locked) {
    for (std::uint32_t i = 0; i < count; ++i) {
      for (std::uint32_t n = zeroed[i].from; n < zeroed[i].to; ++n) {
        spans[n]->zeroed = true;
        bytes += spans[n]->kept;
      }
    }
    for (std::uint32_t i = 0; i < batch.count; ++i) hand_back(*spans[i]);
    return bytes;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    bytes += note_purged(spans + zeroed[i].from, spans + zeroed[i].to, now_ms);
  }
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    spans[i]->purging = false;
    file(*spans[i]);
  }
  counters_.purged_bytes += bytes;
  return bytes;
}

bool SharedSpans::follows(const Span& before, const Span& after) const noexcept {
  return before.run == after.run && before.number + 1 == after.number;
}

}  // namespace bufpool
