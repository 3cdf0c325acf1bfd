// SPDX-License-Identifier: MIT
// States the rules of retention as decisions. Each function gets the figures and returns what is to
// be purged. Nothing is done here, and nothing is asked of the system.
//   1. Resident memory never exceeds the peak of what is in use plus the budget: a get that needs
//      fresh pages while idle bytes are over the budget first sends back the oldest idle ones.
//      Those in the CPUs' caches and in partly used spans count once they have lain there a moment.
//   2. Idle bytes over the budget go back within about a second: a burst that is repeated at once
//      finds its pages. Before a fork they go at once: after it a page that is written faults and
//      may have to be copied, and the kernel copies the page tables of all that is mapped.
//   3. All idle bytes go back within the time they may be kept.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "pool/options/policy.h"

namespace bufpool {

// Holds an order to purge idle bytes, the oldest first, that have been idle for `min_age_ms`.
struct Purge {
  std::uint64_t bytes = 0;
  std::uint32_t min_age_ms = 0;
};

// Says what each rule purges. `idle` and `budget` are in bytes. All functions are pure.
class RetentionRules {
 public:
  // Makes the rules. Idle memory may be kept for `keep_ms` milliseconds (BUFPOOL_RETAIN_TIME).
  constexpr explicit RetentionRules(std::uint32_t keep_ms) noexcept : keep_ms_(keep_ms) {}

  // Returns what rule 1 purges after a get that took `fresh` bytes without pages.
  static constexpr Purge after_fresh(std::uint64_t fresh, std::uint64_t idle,
                                     std::uint64_t budget) noexcept {
    if (idle <= budget) return {};
    return {std::max(fresh, policy::kLeastReclaim), 0};
  }

  // Returns what rule 2 purges without its time of grace: before a fork, and where no thread would
  // do it after a while.
  static constexpr Purge at_once(std::uint64_t idle, std::uint64_t budget) noexcept {
    if (idle <= budget) return {};
    return {idle - budget, 0};
  }

  // Returns what rule 2 purges in a pass.
  constexpr Purge over_budget(std::uint64_t idle, std::uint64_t budget) const noexcept {
    if (idle <= budget) return {};
    return {idle - budget, std::min(policy::kGraceMs, keep_ms_)};
  }

  // Returns what rule 3 purges of whole spans in a pass. A block in a CPU's cache ages there for a
  // quarter of its time, and in its span for the rest.
  constexpr Purge too_old() const noexcept {
    return {std::numeric_limits<std::uint64_t>::max(), keep_ms_ - keep_ms_ / 4};
  }

  // Returns how long a stack of a CPU's cache has to be quiet before a pass drains it.
  constexpr std::uint32_t drain_age_ms(std::uint64_t idle, std::uint64_t budget) const noexcept {
    const std::uint32_t quarter = keep_ms_ / 4;
    return idle > budget ? std::min(policy::kGraceMs, quarter) : quarter;
  }

  // Returns how old pages in partly used spans have to be for a pass to purge them. `excess` is
  // what was over the budget, and `whole` is what whole spans gave of it and still hold. A sweep
  // takes whole spans, too: as long as they have enough, those that are too young for now go in a
  // later pass, and no more than needed.
  constexpr std::uint32_t sweep_age_ms(std::uint64_t excess, std::uint64_t whole) const noexcept {
    if (excess > whole) return std::min(policy::kGraceMs, keep_ms_);
    return too_old().min_age_ms;
  }

 private:
  std::uint32_t keep_ms_;
};

}  // namespace bufpool
