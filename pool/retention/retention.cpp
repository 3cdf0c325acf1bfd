// SPDX-License-Identifier: MIT
#include "pool/retention/retention.h"

#include <algorithm>

#include "pool/options/policy.h"
#include "pool/platform/clock.h"
#include "pool/platform/process.h"
#include "pool/sync/moment.h"

namespace bufpool {
namespace {

// Returns the bytes of the blocks that are out of their spans: in use, or in the CPUs' caches.
std::uint64_t bytes_out_of(std::span<const SharedSpans> all) noexcept {
  std::uint64_t bytes = 0;
  for (const SharedSpans& spans : all) {
    if (spans.is_used())
      bytes += spans.figures().outstanding() * stride_bytes(spans.state().geometry.index);
  }
  return bytes;
}

}  // namespace

void Retention::open(const Options& options, SharedSpans* spans, CpuCache* cache,
                     ReturnsUnderWay* returns) noexcept {
  idle_.open(spans, cache, returns);
  spans_ = std::span(spans, kClassSlots);
  budget_.open(options.retain_max, cache);
  returns_ = returns;
  class_most_ = options.retain_class_max;
  keep_ms_ = static_cast<std::uint32_t>(options.retain_time);
  last_pass_ms_.store(platform::now_ms() - policy::kPassMs, std::memory_order_relaxed);
  drained_ms_.store(platform::now_ms() - policy::kPassMs, std::memory_order_relaxed);
}

RetentionFigures Retention::figures(bool with_budget) noexcept {
  RetentionFigures figures{};
  figures.trims = idle_.trims();
  figures.shortages = shortages_.load(std::memory_order_relaxed);
  figures.pressure_events = pressure_events_.load(std::memory_order_relaxed);
  figures.cpu_drains = idle_.cpu_drains();
  if (!with_budget) return figures;
  const Budget& budget = budget_.in_force();
  figures.budget = budget.bytes(platform::now_ms());
  figures.budget_most = budget.most();
  return figures;
}

void Retention::after_fresh(std::uint64_t fresh, std::uint64_t refaulted) noexcept {
  const std::uint32_t now = platform::now_ms();
  give_scattered(now);
  const std::uint64_t idle = idle_.bytes_in_spans();
  if (refaulted == 0 && idle <= policy::kBudgetFloor / 2) return;  // most processes, always
  if (spends_grace(fresh)) return;
  Budget& budget = learn_budget();
  if (refaulted > 0) budget.raise_after_refault(refaulted, now);
  idle_.purge(RetentionRules::after_fresh(fresh, idle, budget.bytes(now)));
}

// Returns the budget within the limits, with what is in use now.
Budget& Retention::learn_budget() noexcept {
  Budget& budget = budget_.learn_limits();
  budget.set_in_use(bytes_out_of(spans_));
  return budget;
}

// Gives back what is idle over the budget in the CPUs' caches and in spans that are partly used: a
// program that goes on to other sizes leaves a few blocks of each span there. To find out how much
// that is takes time, and what came to be idle just now is about to be used again.
void Retention::give_scattered(std::uint32_t now_ms) noexcept {
  std::uint32_t last = last_scattered_ms_.load(std::memory_order_relaxed);
  if (is_within(now_ms, last, policy::kScatteredMs)) return;
  if (!last_scattered_ms_.compare_exchange_strong(last, now_ms)) return;
  const std::uint64_t idle = idle_bytes();
  if (idle <= policy::kBudgetFloor || grace_bytes_.load(std::memory_order_relaxed) != 0) return;
  const std::uint64_t budget = learn_budget().bytes(now_ms);
  if (idle <= budget + budget / policy::kScatteredDivisor) return;
  idle_.drain_quiet(policy::kScatteredMs);
  const std::uint64_t given = idle_.purge(RetentionRules::at_once(idle, budget));
  if (given < idle - budget) idle_.sweep(policy::kScatteredMs);
}

// Returns whether this is a forked child that has grace left. The fresh bytes are taken off it.
bool Retention::spends_grace(std::uint64_t fresh) noexcept {
  const std::uint64_t left = grace_bytes_.load(std::memory_order_relaxed);
  if (left == 0) return false;
  grace_bytes_.store(left - std::min(left, fresh), std::memory_order_relaxed);
  return true;
}

// Returns whether this thread makes the pass. A second thread does not wait. A child that ran no
// fork handlers does not take a thread of its parent for one at work.
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

std::uint64_t Retention::pass_alone() noexcept {
  const RetentionRules rules(keep_ms_);
  const std::uint32_t now = platform::now_ms();
  const std::uint64_t budget = learn_budget().bytes(now);
  idle_.drain_quiet(rules.drain_age_ms(idle_bytes(), budget));
  idle_.purge(rules.too_old());
  if (class_most_ != 0) idle_.purge_classes(class_most_, now);
  const Purge excess = rules.over_budget(idle_bytes(), budget);
  const std::uint64_t given = idle_.purge(excess);
  idle_.sweep(rules.sweep_age_ms(excess.bytes, given + idle_.bytes_in_spans()));
  budget_.without_look().settle(now);
  last_pass_ms_.store(platform::now_ms(), std::memory_order_relaxed);
  return idle_bytes();
}

void Retention::pass_if_due(bool gives_excess) noexcept {
  const std::uint32_t last = last_pass_ms_.load(std::memory_order_relaxed);
  if (!is_within(platform::now_ms(), last, policy::kPassMs)) pass();
  if (gives_excess) give_excess();
}

// One work spans all steps, so that nobody finds between two of them that nothing is under way.
std::uint64_t Retention::trim(std::uint64_t keep) noexcept {
  const ReturnsUnderWay::Work work(*returns_);
  idle_.drain_all();
  const std::uint64_t idle = idle_bytes();
  if (idle <= keep) return 0;
  const std::uint64_t given = idle_.purge({idle - keep, 0});
  return given < idle - keep ? given + idle_.sweep(0) : given;
}

void Retention::give_excess() noexcept {
  const std::uint64_t budget = budget_.without_look().bytes(platform::now_ms());
  idle_.purge(RetentionRules::at_once(idle_.bytes_in_spans(), budget));
}

// If nothing was given back since the last fork, nothing became empty.
void Retention::before_fork() noexcept {
  const std::uint32_t now = platform::now_ms();
  give_excess();
  const std::uint64_t trims = idle_.trims();
  if (trims_at_fork_.load(std::memory_order_relaxed) == trims) return;
  // Beside a fork of another thread the locks that a run is given back under are not to be had.
  if (OwnerLock::fork_is_under_way()) return;
  trims_at_fork_.store(trims, std::memory_order_relaxed);
  idle_.drop(IdleMemory::Runs::kEmpty, now);
}

void Retention::repair_in_child() noexcept {
  budget_.repair_in_child();
  if (passing_.load(std::memory_order_relaxed) != 0) passing_.store(0, std::memory_order_relaxed);
  grace_bytes_.store(policy::kChildGrace, std::memory_order_relaxed);
}

bool Retention::make_room() noexcept {
  const std::uint32_t now = platform::now_ms();
  const bool lately = is_within(now, drained_ms_.load(std::memory_order_relaxed), policy::kPassMs);
  const bool more = returns_->steps() != steps_at_drain_.load(std::memory_order_relaxed);
  const std::uint64_t left = left_at_drain_.load(std::memory_order_relaxed);
  if (lately && !more && idle_bytes() < left + policy::kLeastReclaim) return false;
  drained_ms_.store(now, std::memory_order_relaxed);
  shortages_.fetch_add(1, std::memory_order_relaxed);
  trim(0);
  idle_.sweep(0);  // finds the runs that have no page left
  idle_.sweep(0);  // and unmaps them
  idle_.drop(IdleMemory::Runs::kIdle, now);
  left_at_drain_.store(idle_bytes(), std::memory_order_relaxed);
  steps_at_drain_.store(returns_->steps(), std::memory_order_relaxed);
  idle_.ask_again();
  return true;
}

void Retention::relieve_pressure() noexcept {
  pressure_events_.fetch_add(1, std::memory_order_relaxed);
  budget_.without_look().press(platform::now_ms());
  trim(0);
}

bool Retries::next(bool waits) noexcept {
  if (retention_ == nullptr) return false;
  if (since_ms_ == 0) since_ms_ = platform::now_ms();
  if (!made_room_) {
    made_room_ = true;
    if (retention_->make_room()) return true;
  }
  if (!waits || (returns_.steps() == steps_ && !returns_.may_wait())) return false;
  if (!is_within(platform::now_ms(), since_ms_, policy::kReturnsPatienceMs)) return false;
  if (!returns_.wait(steps_, since_ms_)) return false;
  steps_ = returns_.steps();
  made_room_ = false;
  return true;
}

}  // namespace bufpool
