// SPDX-License-Identifier: MIT
#include "pool/returning/retention.h"
#include "pool/options/policy.h"

#include "pool/platform/memory_limits.h"
#include "pool/platform/platform.h"
#include "pool/purging/span_purge.h"
#include "pool/purging/span_sweep.h"
#include "pool/sync/moment.h"

namespace bufpool {
namespace {

// The meaning in bytes of a BUFPOOL_RETAIN_MAX that is no size, in a process that may use `limit`
// bytes (0: not known).
std::uint64_t budget_within(Share wanted, std::uint64_t limit) noexcept {
  if (limit == 0) return policy::kRetainMostByDefault;
  if (wanted.percent != 0) return limit / 100 * wanted.percent;
  return std::min(policy::kRetainMostByDefault, limit / 4);
}

}  // namespace

void Retention::open(const Options& options, SharedSpans* spans, CpuCache* cache) noexcept {
  spans_ = std::span(spans, kClassSlots);
  cache_ = cache;
  wanted_most_ = options.retain_max;
  class_most_ = options.retain_class_max;
  keep_ms_ = static_cast<std::uint32_t>(options.retain_time);
  last_pass_ms_.store(platform::now_ms() - kPassMs, std::memory_order_relaxed);
  drained_ms_.store(platform::now_ms() - kPassMs, std::memory_order_relaxed);
  // A size is one whatever the limits are.
  if (wanted_most_.bytes != 0) open_budget(wanted_most_.bytes);
}

void Retention::learn_limits() noexcept {
  int unknown = kUnknown;
  if (budget_known_.load(std::memory_order_relaxed) != kUnknown) return;
  if (!budget_known_.compare_exchange_strong(unknown, kAsking)) return;
  open_budget(budget_within(wanted_most_, platform::memory_limit()));
}

void Retention::open_budget(std::uint64_t most) noexcept {
  budget_.open(most);
  cache_->capacity().share_out(most);
  budget_known_.store(kKnown, std::memory_order_relaxed);
}

std::uint64_t Retention::idle_in_spans() const noexcept {
  std::uint64_t idle = 0;
  for (const SharedSpans& spans : spans_) idle += spans.figures().idle_bytes();
  return idle;
}

std::uint64_t Retention::idle_bytes() const noexcept {
  std::uint64_t partly = 0;
  for (const SharedSpans& spans : spans_) partly += spans.figures().free_bytes();
  return idle_in_spans() + partly + cache_->counters().idle_bytes();
}

// The pages inside partly used spans, of all classes.
std::uint64_t Retention::sweep(std::uint32_t min_age) noexcept {
  const std::uint32_t now = platform::now_ms();
  std::uint64_t given = 0;
  for (SharedSpans& spans : spans_) {
    if (spans.is_used()) given += SpanSweep(spans.state()).sweep(now, Milliseconds{min_age});
  }
  if (given > 0) trims_.fetch_add(1, std::memory_order_relaxed);
  return given;
}

std::uint64_t Retention::budget_bytes() const noexcept { return budget_.bytes(platform::now_ms()); }

std::uint64_t Retention::budget_most_in_force() noexcept {
  if (wanted_most_.percent != 0) learn_limits();
  return budget_.most();
}

std::uint64_t Retention::budget_most() noexcept {
  learn_limits();
  return budget_.most();
}

void Retention::after_fresh(std::uint64_t fresh, std::uint64_t regretted) noexcept {
  const std::uint64_t idle = idle_in_spans();
  if (regretted == 0 && idle <= Budget::kFloor / 2) return;  // most processes, always
  if (spends_grace(fresh)) return;
  learn_limits();
  const std::uint32_t now = platform::now_ms();
  if (regretted > 0) budget_.regret(regretted, now);
  if (idle > budget_.bytes(now)) purge_oldest(std::max(fresh, kLeastReclaim), 0);
}

bool Retention::spends_grace(std::uint64_t fresh) noexcept {
  const std::uint64_t left = grace_bytes_.load(std::memory_order_relaxed);
  if (left == 0) return false;
  grace_bytes_.store(left - std::min(left, fresh), std::memory_order_relaxed);
  return true;
}

// The class whose oldest idle span has been idle longest, and for `min_age` at least.
SharedSpans* Retention::oldest_spans(std::uint32_t now, std::uint32_t min_age) const noexcept {
  SharedSpans* oldest = nullptr;
  std::uint32_t most_age = min_age;
  for (SharedSpans& spans : spans_) {
    if (spans.figures().idle_bytes() == 0) continue;
    const std::uint32_t age = to_number(span_age(now, spans.figures().oldest_idle_ms()));
    if (age < most_age || (oldest != nullptr && age == most_age)) continue;
    oldest = &spans;
    most_age = age;
  }
  return oldest;
}

std::uint64_t Retention::purge_oldest(std::uint64_t bytes, std::uint32_t min_age) noexcept {
  const std::uint32_t now = platform::now_ms();
  std::uint64_t given = 0;
  while (given < bytes && platform::may_purge()) {
    SharedSpans* spans = oldest_spans(now, min_age);
    if (spans == nullptr) break;
    SpanPurge purge(spans->state());
    SpanBatch batch = purge.detach_idle_spans(now, Milliseconds{min_age}, bytes - given);
    if (batch.count == 0) break;
    const std::uint64_t purged = purge.purge(batch, now);
    if (purged == 0) break;  // the kernel refuses: another time
    given += purged;
  }
  if (given > 0) trims_.fetch_add(1, std::memory_order_relaxed);
  return given;
}

void Retention::purge_class_excess(std::uint32_t now) noexcept {
  if (class_most_ == 0) return;
  for (SharedSpans& spans : spans_) {
    // Read once a round: other threads lower it at any time.
    for (std::uint64_t idle = 0; (idle = spans.figures().idle_bytes()) > class_most_;) {
      SpanPurge purge(spans.state());
      SpanBatch batch = purge.detach_idle_spans(now, Milliseconds{0}, idle - class_most_);
      if (batch.count == 0 || purge.purge(batch, now) == 0) break;
    }
  }
}

void Retention::drain_quiet(std::uint32_t quiet_ms) noexcept {
  cpu_drains_.fetch_add(cache_->drainer().drain_quiet(platform::now_ms(), quiet_ms),
                        std::memory_order_relaxed);
}

// Nobody waits. A child that ran no fork handlers does not take a thread of its parent for one at
// work.
bool Retention::begin_pass() noexcept {
  const std::uint32_t process = platform::process_id();
  std::uint32_t seen = passing_.load(std::memory_order_relaxed);
  return seen != process &&
         passing_.compare_exchange_strong(seen, process, std::memory_order_acquire);
}

std::uint64_t Retention::pass() noexcept {
  if (!begin_pass()) return idle_bytes();
  const std::uint64_t idle = pass_alone();
  passing_.store(0, std::memory_order_release);
  return idle;
}

// A block in a CPU's cache ages there for a quarter of its time, and in its span for the rest.
std::uint64_t Retention::pass_alone() noexcept {
  learn_limits();
  const std::uint32_t now = platform::now_ms();
  const std::uint64_t budget = budget_.bytes(now);
  drain_quiet(idle_bytes() > budget ? std::min(kGraceMs, keep_ms_ / 4) : keep_ms_ / 4);
  purge_oldest(~std::uint64_t{0}, keep_ms_ - keep_ms_ / 4);
  purge_class_excess(now);
  const std::uint64_t idle = idle_bytes();
  std::uint64_t given = 0;
  if (idle > budget) given = purge_oldest(idle - budget, std::min(kGraceMs, keep_ms_));
  const bool over = idle > budget && given < idle - budget;
  sweep(over ? std::min(kGraceMs, keep_ms_) : keep_ms_ - keep_ms_ / 4);
  budget_.settle(now);
  last_pass_ms_.store(platform::now_ms(), std::memory_order_relaxed);
  return idle_bytes();
}

void Retention::pass_if_due() noexcept {
  if (!is_within(platform::now_ms(), last_pass_ms_.load(std::memory_order_relaxed), kPassMs))
    pass();
}

std::uint64_t Retention::trim(std::uint64_t keep) noexcept {
  cpu_drains_.fetch_add(cache_->drainer().drain_all(), std::memory_order_relaxed);
  const std::uint64_t idle = idle_bytes();
  if (idle <= keep) return 0;
  const std::uint64_t given = purge_oldest(idle - keep, 0);
  return given < idle - keep ? given + sweep(0) : given;
}

void Retention::give_excess() noexcept {
  const std::uint64_t idle = idle_in_spans();
  const std::uint64_t budget = budget_.bytes(platform::now_ms());
  if (idle > budget) purge_oldest(idle - budget, 0);
}

// Where nothing was given back since the last fork nothing became empty.
void Retention::before_fork() noexcept {
  const std::uint32_t now = platform::now_ms();
  give_excess();
  const std::uint64_t trims = trims_.load(std::memory_order_relaxed);
  if (trims_at_fork_.load(std::memory_order_relaxed) == trims) return;
  // Beside a fork of another thread the locks that a run is given back under are not to be had.
  if (OwnerLock::fork_is_under_way()) return;
  trims_at_fork_.store(trims, std::memory_order_relaxed);
  for (SharedSpans& spans : spans_) {
    if (spans.is_used()) SpanSweep(spans.state()).drop_empty(now);
  }
}

void Retention::repair_in_child() noexcept {
  if (budget_known_.load(std::memory_order_relaxed) == kAsking) budget_known_.store(kUnknown);
  if (passing_.load(std::memory_order_relaxed) != 0) passing_.store(0, std::memory_order_relaxed);
  grace_bytes_.store(kChildGrace, std::memory_order_relaxed);
}

bool Retention::make_room() noexcept {
  const std::uint32_t now = platform::now_ms();
  const bool lately = is_within(now, drained_ms_.load(std::memory_order_relaxed), kPassMs);
  if (lately && idle_bytes() < kLeastReclaim) return false;
  drained_ms_.store(now, std::memory_order_relaxed);
  trim(0);
  sweep(0);  // finds the runs that have no page left
  sweep(0);  // and unmaps them
  for (SharedSpans& spans : spans_) spans.state().refused.forget();
  return true;
}

void Retention::relieve_pressure() noexcept {
  pressure_events_.fetch_add(1, std::memory_order_relaxed);
  budget_.press(platform::now_ms());
  trim(0);
}

}  // namespace bufpool
