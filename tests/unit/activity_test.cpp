// SPDX-License-Identifier: MIT
#include "report/activity.h"

#include <gtest/gtest.h>

namespace bufpool {
namespace {

constexpr std::uint64_t kMost = ~std::uint64_t{0};

Worth by_itself(const Activity& activity) { return worth_of_report(activity, std::nullopt); }

// Measured: git log, python3 -c, gcc, node -e. Each makes thousands of small requests.
TEST(WorthOfReport, CommandsAreSilent) {
  for (const std::uint64_t gets : {0, 99, 124, 531, 599, 999}) {
    EXPECT_EQ(by_itself({gets, 99'999, 99}), Worth::kNothing) << gets;
  }
  EXPECT_EQ(by_itself({5341, 20'000, 0}), Worth::kIfLongOrLarge);
}

TEST(WorthOfReport, ManyGetsSpeak) {
  EXPECT_EQ(by_itself({1000, 0, 0}), Worth::kIfLongOrLarge);
  EXPECT_EQ(by_itself({9999, 0, 0}), Worth::kIfLongOrLarge);
  EXPECT_EQ(by_itself({10'000, 0, 0}), Worth::kReport);
}

// Small requests of a program that uses the pool as well are no reason.
TEST(WorthOfReport, RequestsOutsideTheRangeSpeakWhereAdviceIsDue) {
  EXPECT_EQ(by_itself({99, 100'000, 0}), Worth::kReport);
  EXPECT_EQ(by_itself({99, 0, 100}), Worth::kReport);
  EXPECT_EQ(by_itself({100, kMost, 1000}), Worth::kNothing);
  EXPECT_EQ(by_itself({100, 0, 1001}), Worth::kReport);
}

TEST(WorthOfReport, ANumberIsObeyed) {
  EXPECT_EQ(worth_of_report({199, 199'999, 199}, 200), Worth::kNothing);
  EXPECT_EQ(worth_of_report({200, 0, 0}, 200), Worth::kReport);
  EXPECT_EQ(worth_of_report({0, 200'000, 0}, 200), Worth::kReport);
  EXPECT_EQ(worth_of_report({0, 0, 200}, 200), Worth::kReport);
  EXPECT_EQ(worth_of_report({0, 0, 0}, 0), Worth::kReport);
  EXPECT_EQ(worth_of_report({kMost - 1, kMost, kMost - 1}, kMost), Worth::kNothing);
}

}  // namespace
}  // namespace bufpool
