// SPDX-License-Identifier: MIT
// Giving idle spans' pages back: decided under the lock, done outside it.
#include <algorithm>
#include <cstring>

#include "pool/platform.h"
#include "pool/shared_spans.h"

namespace bufpool {
namespace {

constexpr std::uintptr_t page_above(std::uintptr_t address) noexcept {
  return (address + platform::kPageBytes - 1) & ~(platform::kPageBytes - 1);
}
constexpr std::uintptr_t page_below(std::uintptr_t address) noexcept {
  return address & ~(platform::kPageBytes - 1);
}

}  // namespace

bool make_zero(std::uintptr_t start, std::uintptr_t end) noexcept {
  const std::uintptr_t first = page_above(start);
  const std::uintptr_t last = page_below(end);
  if (first >= last) return false;
  if (!platform::purge(reinterpret_cast<void*>(first), last - first)) return false;
  std::memset(reinterpret_cast<void*>(start), 0, first - start);
  std::memset(reinterpret_cast<void*>(last), 0, end - last);
  return true;
}

SpanBatch SharedSpans::take_idle(std::uint32_t now_ms, std::uint32_t min_age_ms,
                                 std::uint64_t most_bytes) noexcept {
  SpanBatch batch;
  if (!lock_.lock()) return batch;
  collect_deferred();
  while (batch.count < SpanBatch::kMost && batch.count * span_bytes_ < most_bytes &&
         !lists_.empty(SpanList::kIdle)) {
    const SpanNumber n = lists_.back(SpanList::kIdle);
    if (now_ms - lists_[n].since_ms < min_age_ms) break;
    lists_.move_to(n, SpanList::kNone);
    counters_.idle_bytes -= span_bytes_;
    batch.spans[batch.count++] = n;
  }
  publish_idle();
  lock_.unlock();
  return batch;
}

std::uint64_t SharedSpans::purge(SpanBatch& batch, std::uint32_t now_ms) noexcept {
  auto* const spans = batch.spans.data();
  std::sort(spans, spans + batch.count);
  bool purged[SpanBatch::kMost] = {};
  std::uint64_t bytes = 0;
  for (std::uint32_t from = 0; from < batch.count;) {
    std::uint32_t to = from + 1;
    while (to < batch.count && spans[to] == spans[to - 1] + 1) ++to;
    const bool done = make_zero(span_start(spans[from]), span_start(spans[to - 1] + 1));
    if (done) bytes += (to - from) * span_bytes_;
    std::fill(purged + from, purged + to, done);
    from = to;
  }
  // A lock that cannot be had leaves the spans out of reach: lost address space, nothing worse.
  if (!lock_.lock()) return bytes;
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    lists_[spans[i]].since_ms = now_ms;
    lists_[spans[i]].was_purged = true;
    if (!purged[i]) counters_.idle_bytes += span_bytes_;
    lists_.move_to(spans[i], purged[i] ? SpanList::kPurged : SpanList::kIdle);
  }
  counters_.purged_bytes += bytes;
  publish_idle();
  lock_.unlock();
  return bytes;
}

}  // namespace bufpool
