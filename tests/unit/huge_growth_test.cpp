// SPDX-License-Identifier: MIT
#include "pool/runs/huge_growth.h"

#include <gtest/gtest.h>

namespace bufpool {
namespace {

using Next = HugeGrowth::Next;

constexpr std::size_t kRun = policy::kLeastHugeClassBytes;

// Returns the state of a class whose first run was looked at.
HugeGrowth looked_at(bool dense) {
  HugeGrowth growth;
  growth.add_run(kRun, false);
  EXPECT_TRUE(growth.wants_look());
  growth.note_look(dense);
  EXPECT_FALSE(growth.wants_look()) << "once is enough";
  return growth;
}

TEST(HugeGrowth, ALittleIsNotLookedAt) {
  HugeGrowth growth;
  EXPECT_FALSE(growth.wants_look());
  growth.add_run(kRun / 2, false);
  EXPECT_FALSE(growth.wants_look());
  EXPECT_EQ(growth.next(), Next::kSmall);
}

TEST(HugeGrowth, DenseIsWhatIsFourFifthsFull) {
  EXPECT_TRUE(HugeGrowth::is_dense(80, 100));
  EXPECT_FALSE(HugeGrowth::is_dense(79, 100));
  EXPECT_FALSE(HugeGrowth::is_dense(0, 0));
}

TEST(HugeGrowth, ASparseClassHasSmallPages) { EXPECT_EQ(looked_at(false).next(), Next::kSmall); }

TEST(HugeGrowth, ASparseClassIsLookedAtAgainWhenItHasGrownByAQuarter) {
  HugeGrowth growth = looked_at(false);
  growth.add_run(kRun / 8, false);
  EXPECT_FALSE(growth.wants_look());
  growth.add_run(kRun / 8, false);
  EXPECT_TRUE(growth.wants_look());
  growth.note_look(true);
  EXPECT_EQ(growth.next(), Next::kHuge);
}

TEST(HugeGrowth, ADenseClassKeepsASixteenthSmallAsProof) {
  HugeGrowth growth = looked_at(true);
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(growth.next(), Next::kHuge);
    growth.add_run(kRun, true);
  }
  EXPECT_EQ(growth.next(), Next::kProof);
  EXPECT_FALSE(growth.wants_look()) << "what is huge proves nothing";
  growth.add_run(kRun, false);
  EXPECT_TRUE(growth.wants_look());
}

TEST(HugeGrowth, AProofMayEndIt) {
  HugeGrowth growth = looked_at(true);
  growth.add_run(16 * kRun, true);
  growth.add_run(kRun, false);
  growth.note_look(false);
  EXPECT_EQ(growth.next(), Next::kSmall);
}

TEST(HugeGrowth, AClassThatHasShrunkBeginsAnew) {
  HugeGrowth growth = looked_at(true);
  growth.add_run(kRun, true);
  growth.remove_run(kRun, false);
  EXPECT_NE(growth.next(), Next::kSmall);
  growth.remove_run(kRun, true);
  EXPECT_EQ(growth.next(), Next::kSmall);
  growth.add_run(kRun, false);
  EXPECT_TRUE(growth.wants_look());
}

}  // namespace
}  // namespace bufpool
