// SPDX-License-Identifier: MIT
#include "pool/retention/limited_budget.h"

#include <algorithm>
#include <limits>

#include "pool/options/policy.h"
#include "pool/platform/memory_limits.h"

namespace bufpool {
namespace {

// Returns the bytes that a BUFPOOL_RETAIN_MAX which is no size stands for, in a process that may
// use `limit` bytes (0: not known).
std::uint64_t budget_within(Share wanted, std::uint64_t limit) noexcept {
  if (limit == 0) return policy::kRetainMostByDefault;
  if (wanted.percent != 0) return limit / 100 * wanted.percent;
  return std::min(policy::kRetainMostByDefault, limit / policy::kLimitDivisor);
}

// Returns the bytes that may be warmed up where nothing else limits them.
std::uint64_t most_to_warm() noexcept {
  std::uint64_t limit = platform::memory_limit();
  if (limit == 0) limit = std::numeric_limits<std::uint64_t>::max();  // not known
  const platform::Space most = platform::space_limits();
  return std::min<std::uint64_t>({limit, most.addresses, most.data}) / policy::kWarmupShare;
}

}  // namespace

void LimitedBudget::open(Share wanted, CpuCache* cache) noexcept {
  cache_ = cache;
  wanted_ = wanted;
  // A size is one whatever the limits are.
  if (wanted.bytes != 0) open_budget(wanted.bytes);
}

Budget& LimitedBudget::learn_limits() noexcept {
  int unknown = kUnknown;
  if (known_.load(std::memory_order_relaxed) != kUnknown) return budget_;
  if (!known_.compare_exchange_strong(unknown, kAsking)) return budget_;
  open_budget(budget_within(wanted_, platform::memory_limit()));
  return budget_;
}

const Budget& LimitedBudget::in_force() noexcept {
  return wanted_.percent != 0 ? learn_limits() : budget_;
}

std::uint64_t LimitedBudget::reserve_to_warm(std::uint64_t bytes) noexcept {
  const bool chosen = wanted_.bytes != 0 || wanted_.percent != 0;
  const std::uint64_t budget = learn_limits().most();
  return budget_.reserve_warmed(bytes, chosen ? budget : most_to_warm());
}

void LimitedBudget::repair_in_child() noexcept {
  if (known_.load(std::memory_order_relaxed) == kAsking) known_.store(kUnknown);
}

void LimitedBudget::open_budget(std::uint64_t most) noexcept {
  budget_.open(most);
  cache_->capacity().share_out(most);
  known_.store(kKnown, std::memory_order_relaxed);
}

}  // namespace bufpool
