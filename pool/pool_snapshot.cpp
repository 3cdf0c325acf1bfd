// SPDX-License-Identifier: MIT
// The pool's counters as plain values.
#include <algorithm>

#include "pool/buffer_pool.h"
#include "pool/options/options.h"
#include "pool/platform/platform.h"
#include "pool/telemetry/residence.h"

namespace bufpool {
namespace {

// What the parent of a fork had counted is not this process's doing; what it held is.
void subtract_counters(ClassSnapshot& now, const ClassForkAccount& then) noexcept {
#define BUFPOOL_SUBTRACT_counter(name) now.name -= then.name;
#define BUFPOOL_SUBTRACT_gauge(name)
#define BUFPOOL_SUBTRACT_peak(name)
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) BUFPOOL_SUBTRACT_##kind(name)
#include "pool/telemetry/counters.def"
  now.inherited = then.in_use;
  now.in_use_peak = std::max(now.in_use_peak, then.in_use);
}

void subtract_counters(Snapshot& now, const ForkAccount& then) noexcept {
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) BUFPOOL_SUBTRACT_##kind(name)
#include "pool/telemetry/counters.def"
}

// Where nothing is to be kept the budget is kNothingKept; the program is told what it set.
std::uint64_t as_set(std::uint64_t budget) noexcept {
  return budget == kNothingKept ? 0 : budget;
}

void keep_counters(ClassForkAccount& kept, const ClassSnapshot& now) noexcept {
#define BUFPOOL_KEEP_counter(name) kept.name = now.name;
#define BUFPOOL_KEEP_gauge(name)
#define BUFPOOL_KEEP_peak(name)
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) BUFPOOL_KEEP_##kind(name)
#include "pool/telemetry/counters.def"
  kept.in_use = now.in_use;
}

}  // namespace

std::uint64_t BufferPool::gets() noexcept { return gets_since_start() - at_fork_.all_gets; }

std::uint64_t BufferPool::gets_since_start() noexcept {
  std::uint64_t gets = 0;
  for_each_class([&](ClassIndex c) {
    SharedSpans& spans = spans_[to_number(c)];
    if (spans.is_used()) gets += cache_.counters().of(c).hits + spans.misses();
    for (const auto& refused : fallbacks_[to_number(c)]) {
      gets += refused.load(std::memory_order_relaxed);
    }
  });
  return gets;
}

void BufferPool::snapshot(Snapshot& out) noexcept {
  out = Snapshot{};
  out.size = sizeof(Snapshot);
  out.version = kSnapshotVersion;
  out.mode = mode_;
  out.pid = platform::process_id();
  out.reserved = reserved_bytes();
  out.resident = platform::resident_bytes();
  if (mode_ == PoolMode::kPassThrough) return;
  out.budget_max = as_set(retention_.budget_most_in_force());
  out.budget = as_set(retention_.budget_bytes());
  out.trimmer = static_cast<std::uint64_t>(trimmer_.state());
  count_since_start(out);
  subtract_counters(out, at_fork_);
  for_each_class([&](ClassIndex c) {
    subtract_counters(out.classes[to_number(c)], at_fork_.classes[to_number(c)]);
  });
  look_at_idle(out);
  stats_.tell_looked(out);
}

// Counts the idle bytes that are resident, as far as the kernel may be asked.
void BufferPool::look_at_idle(Snapshot& out) noexcept {
  Residence look;
  for_each_class([&](ClassIndex c) {
    ClassSnapshot& row = out.classes[to_number(c)];
    if (row.idle == 0) return;
    const std::uint64_t in_spans = spans_[to_number(c)].resident_bytes(look);
    row.retained = std::min(row.idle, in_spans + cache_.counters().resident_bytes(c, look));
  });
}

PoolTotals BufferPool::totals() noexcept {
  PoolTotals totals{};
  for_each_class([&](ClassIndex c) {
    ClassSnapshot counts{};
    count_class(c, spans_[to_number(c)].counters(), counts);
    totals.carved_bytes += counts.carved;
    totals.in_use_bytes += counts.in_use * stride_bytes(c);
    totals.idle_bytes += counts.idle;
    totals.idle_buffers += counts.idle / stride_bytes(c);
  });
  return totals;
}

template <typename Out>
void BufferPool::count_process(Out& out) noexcept {
  out.cpu_drains = retention_.cpu_drains();
  out.trims = retention_.trims();
  out.pressure_events = retention_.pressure_events();
}

void BufferPool::count_since_start(Snapshot& out) noexcept {
  count_process(out);
  for (auto i = to_number(class_for(least())); i <= to_number(class_for(most())); ++i) {
    if (served_by_[i] == ClassIndex{i})
      count_class(ClassIndex{i}, spans_[i].counters(), out.classes[i]);
  }
}

// What a class never had is zero in the account already.
void BufferPool::note_fork() noexcept {
  count_process(at_fork_);
  at_fork_.all_gets = 0;
  for_each_class([&](ClassIndex c) {
    const SharedSpans& spans = spans_[to_number(c)];
    ClassSnapshot now{};
    count_class(c, spans.counters_at_fork(), now);
    if (!spans.is_used() && now.fallbacks == 0) return;
    keep_counters(at_fork_.classes[to_number(c)], now);
    at_fork_.all_gets += now.gets + now.fallbacks;
  });
}

void BufferPool::count_class(ClassIndex c, const SpanCounters& spans, ClassSnapshot& out) noexcept {
  const std::uint32_t i = to_number(c);
  const StackCounters stacks = cache_.counters().of(c);
  out.buffer_bytes = buffer_bytes(c);
  out.hits = stacks.hits;
  out.misses = spans.misses;
  out.gets = out.hits + out.misses;
  // A deferred block is no longer out, and counts as it will once it is collected.
  out.overflows = spans.overflows + spans_[i].deferred_overflows();
  const std::uint64_t drained =
      spans.drained + spans_[i].deferred() - spans_[i].deferred_overflows();
  // A stack's depth is what was pushed less what was popped; what the fills and drains moved, and
  // the hits, are known, so the puts that hit need no count of their own.
  out.puts = stacks.depth + stacks.hits + drained - spans.filled + out.overflows;
  out.in_use = out.gets - out.puts;
  const std::uint64_t peak = cache_.counters().in_use_peak(c);
  out.in_use_peak = peak > out.in_use ? peak : out.in_use;
  out.cached = stacks.depth;
  out.idle = stacks.depth * stride_bytes(c) + spans.idle_bytes + spans.free_bytes;
  out.carved = spans.carved_bytes;
  out.purged = spans.purged_bytes;
  out.faulted = spans.faulted_bytes;
  out.regretted = spans.regretted_bytes;
  out.asked = stacks.asked + cache_.counters().asked_by_misses(c);
  out.granted = out.gets * stride_bytes(c) - room_to_grow_[i].load(std::memory_order_relaxed);
  const auto refused = [&](Shortage why) {
    return fallbacks_[i][static_cast<std::size_t>(why)].load(std::memory_order_relaxed);
  };
  out.over_limit = refused(Shortage::kLimit);
  out.locked_out = refused(Shortage::kLock);
  out.fallbacks = out.over_limit + out.locked_out + refused(Shortage::kMemory);
}

}  // namespace bufpool
