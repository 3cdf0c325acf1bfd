// SPDX-License-Identifier: MIT
#include "pool/retention/retention_rules.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace bufpool {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint32_t kKeepMs = 10'000;
constexpr RetentionRules kRules(kKeepMs);

TEST(RetentionRules, WithinTheBudgetNothingIsPurged) {
  EXPECT_EQ(RetentionRules::after_fresh(kMiB, 8 * kMiB, 8 * kMiB).bytes, 0U);
  EXPECT_EQ(RetentionRules::at_once(8 * kMiB, 8 * kMiB).bytes, 0U);
  EXPECT_EQ(kRules.over_budget(8 * kMiB, 8 * kMiB).bytes, 0U);
}

TEST(RetentionRules, AGetGivesBackWhatItFaultsInAndAtLeastAFewPages) {
  EXPECT_EQ(RetentionRules::after_fresh(2 * kMiB, 9 * kMiB, 8 * kMiB).bytes, 2 * kMiB);
  EXPECT_EQ(RetentionRules::after_fresh(1, 9 * kMiB, 8 * kMiB).bytes, policy::kLeastReclaim);
  EXPECT_EQ(RetentionRules::after_fresh(1, 9 * kMiB, 8 * kMiB).min_age_ms, 0U);
}

TEST(RetentionRules, WhatIsOverTheBudgetHasASecondOfGrace) {
  EXPECT_EQ(kRules.over_budget(9 * kMiB, 8 * kMiB).bytes, kMiB);
  EXPECT_EQ(kRules.over_budget(9 * kMiB, 8 * kMiB).min_age_ms, policy::kGraceMs);
  EXPECT_EQ(RetentionRules(300).over_budget(9 * kMiB, 8 * kMiB).min_age_ms, 300U);
  EXPECT_EQ(RetentionRules::at_once(9 * kMiB, 8 * kMiB).bytes, kMiB);
  EXPECT_EQ(RetentionRules::at_once(9 * kMiB, 8 * kMiB).min_age_ms, 0U);
}

TEST(RetentionRules, CacheAndSpanShareTheTimeThatIdleMemoryIsKept) {
  EXPECT_EQ(kRules.drain_age_ms(0, kMiB) + kRules.too_old().min_age_ms, kKeepMs);
  EXPECT_EQ(kRules.drain_age_ms(2 * kMiB, kMiB), policy::kGraceMs);
}

TEST(RetentionRules, PartlyUsedSpansGiveEarlierIfWholeOnesDoNotSuffice) {
  EXPECT_EQ(kRules.sweep_age_ms(0, 0), kRules.too_old().min_age_ms);
  EXPECT_EQ(kRules.sweep_age_ms(1, 0), policy::kGraceMs);
  EXPECT_EQ(kRules.sweep_age_ms(kMiB + 1, kMiB), policy::kGraceMs);
}

TEST(RetentionRules, WholeSpansThatAreTooYoungYetAreLeftToALaterPass) {
  EXPECT_EQ(kRules.sweep_age_ms(kMiB, kMiB), kRules.too_old().min_age_ms);
}

}  // namespace
}  // namespace bufpool
