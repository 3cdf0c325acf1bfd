// SPDX-License-Identifier: MIT
#include "pool/pool_figures.h"

#include <algorithm>

#include "pool/platform/clock.h"
#include "pool/platform/process.h"
#include "pool/spans/span_residence.h"

namespace bufpool {
namespace {

// The counts of a fork's parent are not this process's doing; what the parent held is in use here.
void subtract_counters(ClassSnapshot& now, const ClassForkAccount& then) noexcept {
#define BUFPOOL_SUBTRACT_counter(name) now.name -= then.name;
#define BUFPOOL_SUBTRACT_gauge(name)
#define BUFPOOL_SUBTRACT_peak(name)
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) BUFPOOL_SUBTRACT_##kind(name)
#include "pool/telemetry/counters.def"
  now.inherited = then.in_use;
}

template <typename Out>
void subtract_process(Out& now, const ForkAccount& then) noexcept {
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) BUFPOOL_SUBTRACT_##kind(name)
#include "pool/telemetry/counters.def"
}

void keep_counters(ClassForkAccount& kept, const ClassSnapshot& now) noexcept {
#define BUFPOOL_KEEP_counter(name) kept.name = now.name;
#define BUFPOOL_KEEP_gauge(name)
#define BUFPOOL_KEEP_peak(name)
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) BUFPOOL_KEEP_##kind(name)
#include "pool/telemetry/counters.def"
  kept.in_use = now.in_use;
}

constexpr bool numbers_are_those_of_the_snapshot() {
  bool same = true;
  for_each_class([&](ClassIndex c) { same &= built_in_bytes(to_number(c)) == buffer_bytes(c); });
  return same && kClassSlots == kSnapshotClasses;
}
static_assert(numbers_are_those_of_the_snapshot());

}  // namespace

std::uint64_t PoolFigures::gets() const noexcept {
  std::uint64_t gets = 0;
  for_each_class([&](ClassIndex c) {
    const SharedSpans& spans = parts_.spans[c];
    if (spans.is_used()) gets += parts_.cache.counters().of(c).hits + spans.figures().misses();
    for (const Shortage why : {Shortage::kMemory, Shortage::kLimit, Shortage::kLock}) {
      gets += parts_.miss_path.passed_on(c, why);
    }
  });
  return gets - parts_.at_fork.all_gets;
}

void PoolFigures::snapshot(Snapshot& out) noexcept {
  out = Snapshot{};
  out.size = sizeof(Snapshot);
  out.version = kSnapshotVersion;
  tell_process(out);
  if (mode() == PoolMode::kPassThrough) return;
  for_each_class([&](ClassIndex c) { out.classes[to_number(c)] = counts_of(c); });
  for_each_class(
      [&](ClassIndex c) { out.sizes[to_number(c)] = parts_.cache.counters().misses_of_sizes(c); });
  Residence look;
  for_each_class([&](ClassIndex c) { look_at_idle(c, out.classes[to_number(c)], look); });
  parts_.stats.tell_looked(out);
}

ProcessFigures PoolFigures::of_process() noexcept {
  ProcessFigures out{};
  tell_process(out);
  return out;
}

ClassSnapshot PoolFigures::of_class(ClassIndex c, Residence& look) noexcept {
  if (mode() == PoolMode::kPassThrough) return {};
  ClassSnapshot out = counts_of(c);
  look_at_idle(c, out, look);
  return out;
}

template <typename Out>
void PoolFigures::tell_process(Out& out) noexcept {
  out.mode = mode();
  out.pid = platform::process_id();
  out.reserved = reserved_bytes();
  const platform::ProcessUse use = platform::process_use();
  out.resident = use.resident_bytes;
  out.resident_peak = use.resident_peak_bytes;
  out.cpu_time = use.cpu_ms;
  if (mode() == PoolMode::kPassThrough) return;
  const RetentionFigures retention = parts_.retention.figures();
  out.budget_max = as_set(retention.budget_most);
  out.budget = as_set(retention.budget);
  out.trimmer = static_cast<std::uint64_t>(parts_.trimmer.state());
  count_process(out);
  subtract_process(out, parts_.at_fork);
}

// Returns the counts of a class since this process began. They are 0 if it is not in use.
ClassSnapshot PoolFigures::counts_of(ClassIndex c) noexcept {
  const ServedSizes& sizes = parts_.sizes;
  ClassSnapshot now{};
  const bool served = c >= sizes.class_for(sizes.least()) && c <= sizes.class_for(sizes.most()) &&
                      sizes.is_in_use(c);
  if (served) count_class(c, parts_.spans[c].counters(), now);
  const ClassForkAccount& then = parts_.at_fork.classes[to_number(c)];
  subtract_counters(now, then);
  now.in_use_peak = std::max(now.in_use_peak, least_peak(parts_.at_fork, then));
  return now;
}

// Counts the idle bytes that are resident, as far as the kernel may be asked.
void PoolFigures::look_at_idle(ClassIndex c, ClassSnapshot& row, Residence& look) noexcept {
  if (row.idle == 0) return;
  const std::uint64_t in_spans = resident_bytes(parts_.spans[c].state(), look);
  row.retained = std::min(row.idle, in_spans + parts_.cache.counters().resident_bytes(c, look));
}

PoolTotals PoolFigures::totals() noexcept {
  PoolTotals totals{};
  for_each_class([&](ClassIndex c) {
    ClassSnapshot counts{};
    count_class(c, parts_.spans[c].counters(), counts);
    totals.carved_bytes += counts.carved;
    totals.in_use_bytes += counts.in_use * stride_bytes(c);
    totals.idle_bytes += counts.idle;
    totals.idle_buffers += counts.idle / stride_bytes(c);
  });
  return totals;
}

template <typename Out>
void PoolFigures::count_process(Out& out) const noexcept {
  const RetentionFigures retention = parts_.retention.figures(false);
  out.cpu_drains = retention.cpu_drains;
  out.trims = retention.trims;
  out.shortages = retention.shortages;
  out.pressure_events = retention.pressure_events;
}

// Counts that a class never had are zero in the account already.
void PoolFigures::note_fork() noexcept {
  parts_.at_fork.made_ms = platform::coarse_milliseconds();
  parts_.at_fork.peaks_are_reset.store(false, std::memory_order_relaxed);
  count_process(parts_.at_fork);
  parts_.at_fork.all_gets = 0;
  for_each_class([&](ClassIndex c) {
    const SharedSpans& spans = parts_.spans[c];
    ClassSnapshot now{};
    count_class(c, spans.state().counters_without_lock(), now);
    if (!spans.is_used() && now.fallbacks == 0) return;
    keep_counters(parts_.at_fork.classes[to_number(c)], now);
    parts_.at_fork.all_gets += now.gets + now.fallbacks;
  });
}

void PoolFigures::count_class(ClassIndex c, const SpanCounters& spans,
                              ClassSnapshot& out) const noexcept {
  const SharedSpans& shared = parts_.spans[c];
  const StackCounters stacks = parts_.cache.counters().of(c);
  out.buffer_bytes = buffer_bytes(c);
  out.hits = stacks.hits;
  out.misses = spans.misses;
  out.gets = out.hits + out.misses;
  // A deferred block is no longer out, and counts as it will once it is collected.
  out.overflows = spans.overflows + shared.deferred().overflows();
  const std::uint64_t drained =
      spans.drained + shared.deferred().count() - shared.deferred().overflows();
  // The depth of a stack is what was pushed less what was popped. The blocks that fills and drains
  // moved are known, and so are the hits, so the puts that hit need no count of their own.
  out.puts = stacks.depth + stacks.hits + drained - spans.filled + out.overflows;
  out.in_use = out.gets - out.puts;
  const std::uint64_t peak = parts_.cache.counters().in_use_peak(c);
  out.in_use_peak = peak > out.in_use ? peak : out.in_use;
  out.cached = stacks.depth;
  out.idle = stacks.depth * stride_bytes(c) + spans.idle_bytes + spans.free_bytes;
  out.carved = spans.carved_bytes;
  out.purged = spans.purged_bytes;
  out.faulted = spans.faulted_bytes;
  out.regretted = spans.regretted_bytes;
  out.asked = stacks.asked + parts_.cache.counters().asked_by_misses(c);
  out.granted = out.gets * stride_bytes(c) - parts_.resize.room_to_grow(c);
  const auto missed = [&](MissReason why) { return parts_.cache.counters().missed(c, why); };
  out.cold_misses = missed(MissReason::kCold);
  out.returned_misses = missed(MissReason::kReturned);
  out.drained_misses = missed(MissReason::kDrained);
  out.elsewhere_misses = missed(MissReason::kElsewhere);
  out.over_limit = parts_.miss_path.passed_on(c, Shortage::kLimit);
  out.locked_out = parts_.miss_path.passed_on(c, Shortage::kLock);
  out.fallbacks =
      out.over_limit + out.locked_out + parts_.miss_path.passed_on(c, Shortage::kMemory);
}

}  // namespace bufpool
