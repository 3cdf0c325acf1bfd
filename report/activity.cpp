// SPDX-License-Identifier: MIT
#include "report/activity.h"

namespace bufpool {
namespace {

// Shells, compilers, git and interpreters that do little make some hundred gets, and node some
// 5000 in 50 ms. Benchmarks make more than the first, and servers in use more than the second.
constexpr std::uint64_t kManyGets = 10'000;
constexpr std::uint64_t kManyGetsOfALongLife = 1000;

// Small requests outside the range that count as one get for a number that the user chose: every
// command makes some thousand.
constexpr std::uint64_t kSmallRequestsPerGet = 1000;

Worth worth_by_itself(const Activity& activity) noexcept {
  if (activity.gets >= kManyGets || range_advice_is_due(activity)) return Worth::kReport;
  return activity.gets >= kManyGetsOfALongLife ? Worth::kIfLongOrLarge : Worth::kNothing;
}

}  // namespace

bool pool_is_idle(const Activity& activity) noexcept {
  constexpr std::uint64_t kFewGets = 100;
  constexpr std::uint64_t kManyAbove = 100;
  constexpr std::uint64_t kManyBelow = 100'000;
  return activity.gets < kFewGets &&
         (activity.passed_above >= kManyAbove || activity.passed_below >= kManyBelow);
}

bool range_advice_is_due(const Activity& activity) noexcept {
  constexpr std::uint64_t kManyAbove = 1000;
  return activity.passed_above > kManyAbove || pool_is_idle(activity);
}

Worth worth_of_report(const Activity& activity, std::optional<std::uint64_t> least) noexcept {
  if (!least) return worth_by_itself(activity);
  const bool enough = activity.gets >= *least || activity.passed_above >= *least ||
                      activity.passed_below / kSmallRequestsPerGet >= *least;
  return enough ? Worth::kReport : Worth::kNothing;
}

}  // namespace bufpool
