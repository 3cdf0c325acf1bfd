// SPDX-License-Identifier: MIT
#include "report/deadline.h"

#include <gtest/gtest.h>

namespace bufpool {
namespace {

TEST(Deadline, TheFirstByteHasATimeOfItsOwn) {
  const Deadline deadline = Deadline::in(100'000, 50'000);
  EXPECT_LE(deadline.left(), 100'000);
  EXPECT_GT(deadline.left(), 50'000);
  EXPECT_LE(deadline.left_to_begin(), 50'000);
  EXPECT_GT(deadline.left_to_begin(), 0);
}

TEST(Deadline, WithoutATimeOfItsOwnTheFirstByteHasTheWhole) {
  EXPECT_GT(Deadline::in(100'000).left_to_begin(), 50'000);
}

TEST(Deadline, NothingIsLeftOfWhatHasPassed) {
  EXPECT_EQ(Deadline::in(0).left(), 0);
  EXPECT_EQ(Deadline::in(-300).left(), 0);
  EXPECT_EQ(Deadline::in(100'000, -1).left_to_begin(), 0);
}

}  // namespace
}  // namespace bufpool
