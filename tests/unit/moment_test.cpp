// SPDX-License-Identifier: MIT
#include "pool/sync/moment.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace bufpool {
namespace {

TEST(IsWithin, HoldsOnBothSidesOfATime) {
  for (const std::uint32_t then : {0U, 1000U, 0xffff'fff0U, 0x8000'0000U}) {
    EXPECT_TRUE(is_within(then, then, 100));
    EXPECT_TRUE(is_within(then + 99, then, 100));
    EXPECT_FALSE(is_within(then + 100, then, 100));
    EXPECT_TRUE(is_within(then - 100, then, 100)) << "whoever looked at the clock before";
    EXPECT_FALSE(is_within(then - 101, then, 100));
    EXPECT_FALSE(is_within(then + 0x8000'0000U, then, 100)) << "25 days later";
    EXPECT_FALSE(is_within(then, then, 0));
  }
}

TEST(Moment, IsSeenAsItWasSet) {
  Moment moment;
  EXPECT_EQ(moment.seen().ms, 0U);
  EXPECT_EQ(moment.seen().what, 0U);
  moment.set(0xffff'ffffU, 3);
  EXPECT_EQ(moment.seen().ms, 0xffff'ffffU);
  EXPECT_EQ(moment.seen().what, 3U);
}

TEST(Moment, IsReplacedByThoseOnlyWhoSawTheLast) {
  Moment moment;
  moment.set(5, 1);
  const Moment::Seen seen = moment.seen();
  moment.set(6, 1);
  EXPECT_FALSE(moment.replace(seen, 7, 0));
  EXPECT_EQ(moment.seen().ms, 6U);
  EXPECT_TRUE(moment.replace(moment.seen(), 7, 0));
  EXPECT_EQ(moment.seen().ms, 7U);
  EXPECT_EQ(moment.seen().what, 0U);
}

}  // namespace
}  // namespace bufpool
