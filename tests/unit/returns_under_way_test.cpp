// SPDX-License-Identifier: MIT
#include "pool/retention/returns_under_way.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace bufpool {
namespace {

class ReturnsUnderWayTest : public testing::Test {
 protected:
  void SetUp() override { OwnerLock::enter_process(); }

  // A thread that gives memory back until the test has it end.
  void begin_work() {
    worker_ = std::thread([this] {
      const ReturnsUnderWay::Work work(returns_);
      begun_ = true;
      while (!end_) usleep(1000);
      if (step_) returns_.note_step();
      while (!leave_) usleep(1000);
    });
    while (!begun_) usleep(1000);
  }
  void TearDown() override {
    end_ = leave_ = true;
    if (worker_.joinable()) worker_.join();
  }

  ReturnsUnderWay returns_;
  std::thread worker_;
  std::atomic<bool> begun_{false};
  std::atomic<bool> end_{false};
  std::atomic<bool> step_{true};
  std::atomic<bool> leave_{false};
};

TEST_F(ReturnsUnderWayTest, NobodyWaitsWhereNobodyIsAtWork) {
  EXPECT_FALSE(returns_.may_wait());
  EXPECT_TRUE(returns_.wait(returns_.steps(), platform::now_ms()));
}

TEST_F(ReturnsUnderWayTest, AStepEndsTheWaitWhileTheWorkGoesOn) {
  begin_work();
  EXPECT_TRUE(returns_.may_wait());
  const std::uint32_t steps = returns_.steps();
  end_ = true;
  while (returns_.steps() == steps) {
    if (!returns_.wait(steps, platform::now_ms())) break;
  }
  EXPECT_EQ(returns_.steps(), steps + 1);
  EXPECT_TRUE(returns_.may_wait());
}

TEST_F(ReturnsUnderWayTest, TheEndOfTheWorkEndsTheWait) {
  step_ = false;
  begin_work();
  const std::uint32_t steps = returns_.steps();
  end_ = leave_ = true;
  EXPECT_TRUE(returns_.wait(steps, platform::now_ms()));
  EXPECT_EQ(returns_.steps(), steps);
  worker_.join();
  EXPECT_FALSE(returns_.may_wait());
}

TEST_F(ReturnsUnderWayTest, ASignalHandlerInTheWorkDoesNotWait) {
  const ReturnsUnderWay::Work work(returns_);
  EXPECT_FALSE(returns_.may_wait());
}

TEST_F(ReturnsUnderWayTest, NobodyWaitsWhileAForkIsUnderWay) {
  begin_work();
  OwnerLock::begin_fork();
  EXPECT_FALSE(returns_.may_wait());
  OwnerLock::end_fork();
  EXPECT_TRUE(returns_.may_wait());
}

TEST_F(ReturnsUnderWayTest, WorkThatNeverEndsIsWaitedForOnce) {
  begin_work();
  while (returns_.wait(returns_.steps(), platform::now_ms() - 2 * policy::kReturnsPatienceMs)) {
    ASSERT_TRUE(returns_.may_wait());
  }
  EXPECT_FALSE(returns_.may_wait());
}

TEST_F(ReturnsUnderWayTest, AChildDoesNotWaitForItsParentsThread) {
  begin_work();
  returns_.forget_in_child();
  EXPECT_FALSE(returns_.may_wait());
}

}  // namespace
}  // namespace bufpool
