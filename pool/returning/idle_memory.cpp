// SPDX-License-Identifier: MIT
#include "pool/returning/idle_memory.h"

#include "pool/platform/clock.h"
#include "pool/platform/memory.h"
#include "pool/purging/span_purge.h"
#include "pool/purging/span_sweep.h"

namespace bufpool {

void IdleMemory::open(SharedSpans* spans, CpuCache* cache) noexcept {
  spans_ = std::span(spans, kClassSlots);
  cache_ = cache;
}

std::uint64_t IdleMemory::bytes_in_spans() const noexcept {
  std::uint64_t idle = 0;
  for (const SharedSpans& spans : spans_) idle += spans.figures().idle_bytes();
  return idle;
}

std::uint64_t IdleMemory::bytes() const noexcept {
  std::uint64_t partly = 0;
  for (const SharedSpans& spans : spans_) partly += spans.figures().free_bytes();
  return bytes_in_spans() + partly + cache_->counters().idle_bytes();
}

void IdleMemory::count_trim(std::uint64_t given) noexcept {
  if (given > 0) trims_.fetch_add(1, std::memory_order_relaxed);
}

// The class whose oldest idle span has been idle longest, and for `min_age_ms` at least.
SharedSpans* IdleMemory::oldest_spans(std::uint32_t now_ms,
                                      std::uint32_t min_age_ms) const noexcept {
  SharedSpans* oldest = nullptr;
  std::uint32_t most_age = min_age_ms;
  for (SharedSpans& spans : spans_) {
    if (spans.figures().idle_bytes() == 0) continue;
    const std::uint32_t age = to_number(span_age(now_ms, spans.figures().oldest_idle_ms()));
    if (age < most_age || (oldest != nullptr && age == most_age)) continue;
    oldest = &spans;
    most_age = age;
  }
  return oldest;
}

std::uint64_t IdleMemory::purge(Purge wanted) noexcept {
  const std::uint32_t now = platform::now_ms();
  std::uint64_t given = 0;
  while (given < wanted.bytes && platform::may_purge()) {
    SharedSpans* spans = oldest_spans(now, wanted.min_age_ms);
    if (spans == nullptr) break;
    SpanPurge purge(spans->state());
    SpanBatch batch =
        purge.detach_idle_spans(now, Milliseconds{wanted.min_age_ms}, wanted.bytes - given);
    if (batch.count == 0) break;
    const std::uint64_t purged = purge.purge(batch, now);
    if (purged == 0) break;  // the kernel refuses: another time
    given += purged;
  }
  count_trim(given);
  return given;
}

std::uint64_t IdleMemory::sweep(std::uint32_t min_age_ms) noexcept {
  const std::uint32_t now = platform::now_ms();
  std::uint64_t given = 0;
  for (SharedSpans& spans : spans_) {
    if (spans.is_used()) given += SpanSweep(spans.state()).sweep(now, Milliseconds{min_age_ms});
  }
  count_trim(given);
  return given;
}

void IdleMemory::purge_classes(std::uint64_t most, std::uint32_t now_ms) noexcept {
  for (SharedSpans& spans : spans_) {
    // Read once a round: other threads lower it at any time.
    for (std::uint64_t idle = 0; (idle = spans.figures().idle_bytes()) > most;) {
      SpanPurge purge(spans.state());
      SpanBatch batch = purge.detach_idle_spans(now_ms, Milliseconds{0}, idle - most);
      if (batch.count == 0 || purge.purge(batch, now_ms) == 0) break;
    }
  }
}

void IdleMemory::drain_quiet(std::uint32_t quiet_ms) noexcept {
  cpu_drains_.fetch_add(cache_->drainer().drain_quiet(platform::now_ms(), quiet_ms),
                        std::memory_order_relaxed);
}

void IdleMemory::drain_all() noexcept {
  cpu_drains_.fetch_add(cache_->drainer().drain_all(), std::memory_order_relaxed);
}

void IdleMemory::drop_empty_runs(std::uint32_t now_ms) noexcept {
  for (SharedSpans& spans : spans_) {
    if (spans.is_used()) SpanSweep(spans.state()).drop_empty(now_ms);
  }
}

void IdleMemory::ask_again() noexcept {
  for (SharedSpans& spans : spans_) spans.state().refused.forget();
}

}  // namespace bufpool
