// SPDX-License-Identifier: MIT
#include "pool/retention/idle_memory.h"

#include <algorithm>

#include "pool/options/policy.h"
#include "pool/pages/span_purge.h"
#include "pool/pages/span_sweep.h"
#include "pool/platform/clock.h"
#include "pool/platform/memory.h"

namespace bufpool {
namespace {

// Returns the bytes of a class that lie in idle spans. If any do, what SharedSpans::open() wrote
// can be read: the figures alone do not say so.
std::uint64_t idle_bytes_of(const SharedSpans& spans) noexcept {
  return spans.is_used() ? spans.figures().idle_bytes() : 0;
}

}  // namespace

void IdleMemory::open(SharedSpans* spans, CpuCache* cache, ReturnsUnderWay* returns) noexcept {
  spans_ = std::span(spans, kClassSlots);
  cache_ = cache;
  returns_ = returns;
}

std::uint64_t IdleMemory::bytes_in_spans() const noexcept {
  std::uint64_t idle = 0;
  for (const SharedSpans& spans : spans_) idle += idle_bytes_of(spans);
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

// Returns the class whose oldest idle span has been idle longest, and for `min_age_ms` at least.
// Returns nullptr if there is none.
SharedSpans* IdleMemory::oldest_spans(std::uint32_t now_ms,
                                      std::uint32_t min_age_ms) const noexcept {
  SharedSpans* oldest = nullptr;
  std::uint32_t most_age = min_age_ms;
  for (SharedSpans& spans : spans_) {
    if (idle_bytes_of(spans) == 0) continue;
    const std::uint32_t age = to_number(span_age(now_ms, spans.figures().oldest_idle_ms()));
    if (age < most_age || (oldest != nullptr && age == most_age)) continue;
    oldest = &spans;
    most_age = age;
  }
  return oldest;
}

// Purges idle spans of a class: no more than policy::kMostPurgedAtOnce, but one at least. Returns
// the bytes that went back.
std::uint64_t IdleMemory::purge_some(SharedSpans& spans, std::uint32_t now_ms,
                                     Purge wanted) noexcept {
  SpanPurge purge(spans.state());
  SpanBatch batch = purge.detach_idle_spans(now_ms, Milliseconds{wanted.min_age_ms},
                                            std::min(wanted.bytes, policy::kMostPurgedAtOnce));
  if (batch.count == 0) return 0;
  const std::uint64_t purged = purge.purge(batch, now_ms);
  returns_->note_step();  // the spans can be had again, whether their pages went or not
  return purged;
}

// A purge of nothing is frequent, and is to cost nothing.
std::uint64_t IdleMemory::purge(Purge wanted) noexcept {
  if (wanted.bytes == 0) return 0;
  const ReturnsUnderWay::Work work(*returns_);
  const std::uint32_t now = platform::now_ms();
  std::uint64_t given = 0;
  while (given < wanted.bytes && platform::may_purge()) {
    SharedSpans* spans = oldest_spans(now, wanted.min_age_ms);
    if (spans == nullptr) break;
    const std::uint64_t purged = purge_some(*spans, now, {wanted.bytes - given, wanted.min_age_ms});
    if (purged == 0) break;  // none is that old any more, or the kernel refuses
    given += purged;
  }
  count_trim(given);
  return given;
}

// Sweeps a class and returns the bytes. A run that is unmapped is a step, too.
std::uint64_t IdleMemory::sweep_class(SharedSpans& spans, std::uint32_t now_ms,
                                      std::uint32_t min_age_ms) noexcept {
  const std::atomic<std::size_t>& mapped = spans.state().mapped_bytes;
  const std::size_t before = mapped.load(std::memory_order_relaxed);
  const std::uint64_t given = SpanSweep(spans.state()).sweep(now_ms, Milliseconds{min_age_ms});
  if (given > 0 || mapped.load(std::memory_order_relaxed) != before) returns_->note_step();
  return given;
}

std::uint64_t IdleMemory::sweep(std::uint32_t min_age_ms) noexcept {
  const ReturnsUnderWay::Work work(*returns_);
  const std::uint32_t now = platform::now_ms();
  std::uint64_t given = 0;
  for (SharedSpans& spans : spans_) {
    if (spans.is_used()) given += sweep_class(spans, now, min_age_ms);
  }
  count_trim(given);
  return given;
}

void IdleMemory::purge_classes(std::uint64_t most, std::uint32_t now_ms) noexcept {
  const ReturnsUnderWay::Work work(*returns_);
  for (SharedSpans& spans : spans_) {
    // It is read once a round, as other threads lower it at any time.
    for (std::uint64_t idle = 0; (idle = idle_bytes_of(spans)) > most;) {
      if (purge_some(spans, now_ms, {idle - most, 0}) == 0) break;
    }
  }
}

void IdleMemory::drain_quiet(std::uint32_t quiet_ms) noexcept {
  const ReturnsUnderWay::Work work(*returns_);
  count_drains(cache_->drainer().drain_quiet(platform::now_ms(), quiet_ms));
}

void IdleMemory::drain_all() noexcept {
  const ReturnsUnderWay::Work work(*returns_);
  count_drains(cache_->drainer().drain_all());
}

// The blocks of a CPU that was drained can be had again.
void IdleMemory::count_drains(std::uint32_t cpus) noexcept {
  if (cpus == 0) return;
  cpu_drains_.fetch_add(cpus, std::memory_order_relaxed);
  returns_->note_step();
}

void IdleMemory::drop(Runs which, std::uint32_t now_ms) noexcept {
  const ReturnsUnderWay::Work work(*returns_);
  std::uint64_t given = 0;
  for (SharedSpans& spans : spans_) {
    if (!spans.is_used()) continue;
    SpanSweep sweep(spans.state());
    if (which == Runs::kEmpty) sweep.drop_empty(now_ms);
    if (which == Runs::kIdle) given += sweep.drop_idle(now_ms);
  }
  if (given > 0) returns_->note_step();
  count_trim(given);
}

void IdleMemory::ask_again() noexcept {
  for (SharedSpans& spans : spans_) spans.state().refused.forget();
}

}  // namespace bufpool
