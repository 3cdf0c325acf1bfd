// SPDX-License-Identifier: MIT
#include "pool/runs/run_list.h"

#include <gtest/gtest.h>

#include <memory>

#include "pool/state/dropped_runs.h"

namespace bufpool {
namespace {

using ARun = bufpool::Run;  // testing::Test has a Run, too

class RunListTest : public testing::Test {
 protected:
  RunListTest() {
    for (ARun* run : {a_.get(), b_.get(), c_.get()}) {
      run->span_count = 2;
      list_.add(*run);
    }
  }

  std::unique_ptr<ARun> a_ = std::make_unique<ARun>();
  std::unique_ptr<ARun> b_ = std::make_unique<ARun>();
  std::unique_ptr<ARun> c_ = std::make_unique<ARun>();
  RunList list_;
};

TEST_F(RunListTest, TheYoungestIsFirst) {
  EXPECT_EQ(list_.first(), c_.get());
  EXPECT_EQ(list_.last(), a_.get());
  EXPECT_EQ(list_.first_uncut(), c_.get());
}

TEST_F(RunListTest, ARunIsMovedToTheFront) {
  list_.move_to_front(*a_);
  EXPECT_EQ(list_.first(), a_.get());
  EXPECT_EQ(list_.last(), b_.get());
  list_.move_to_front(*a_);
  EXPECT_EQ(list_.first(), a_.get());
  EXPECT_EQ(a_->next, c_.get());
}

TEST_F(RunListTest, RunsLeaveFromAnyPlace) {
  list_.remove(*b_);
  EXPECT_EQ(list_.first()->next, a_.get());
  EXPECT_EQ(list_.first_uncut()->next_uncut, a_.get());
  list_.remove(*c_);
  list_.remove(*a_);
  EXPECT_EQ(list_.first(), nullptr);
  EXPECT_EQ(list_.last(), nullptr);
  EXPECT_EQ(list_.first_uncut(), nullptr);
}

TEST_F(RunListTest, ARunThatIsCutUpIsNotAmongTheUncut) {
  list_.remove_uncut(*c_);
  EXPECT_EQ(list_.first_uncut(), b_.get());
  list_.remove(*c_);
  c_->cut = 2;
  list_.add(*c_);
  EXPECT_EQ(list_.first(), c_.get());
  EXPECT_EQ(list_.first_uncut(), b_.get());
}

TEST(DroppedRuns, AreRegrettedOnceAndForAWhile) {
  DroppedRuns dropped;
  EXPECT_FALSE(dropped.has_any());
  dropped.note(1000, 50);
  EXPECT_EQ(dropped.regret(600, 60), 600U);
  EXPECT_EQ(dropped.regret(600, 60), 400U);
  EXPECT_FALSE(dropped.has_any());
  dropped.note(1000, 50);
  EXPECT_EQ(dropped.regret(600, 50 + policy::kRegretMs), 0U);
  EXPECT_FALSE(dropped.has_any());
}

}  // namespace
}  // namespace bufpool
