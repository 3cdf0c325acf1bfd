// SPDX-License-Identifier: MIT
#include "pool/retention/returns_under_way.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

#include "tests/unit/retained.h"

namespace bufpool {
namespace {

class ReturnsUnderWayTest : public testing::Test {
 protected:
  void SetUp() override { OwnerLock::enter_process(); }

  // Starts a thread that gives memory back until the test has it end.
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

const ClassIndex kMiddle = class_step(64 << 10);

TEST(StepsOfRetentionTest, BlocksThatLeaveACacheAreOne) {
  Retained own(PoolMode::kLocked, default_options());
  own.put(kMiddle, own.take_bytes(kMiddle, 1 << 20));
  const std::uint32_t steps = own.returns.steps();
  own.retention.trim(std::numeric_limits<std::uint64_t>::max());
  EXPECT_NE(own.returns.steps(), steps);
}

// A get that waits finds the spans again, with the pages that the kernel would not take.
TEST(StepsOfRetentionTest, SpansThatKeepTheirPagesAreOne) {
  Retained own(PoolMode::kLocked, default_options());
  const std::vector<Block> blocks = own.take_bytes(kMiddle, 64 << 10);
  const std::size_t bytes = nominal_bytes(kMiddle);
  if (syscall(SYS_mlock, blocks.front(), bytes) != 0) GTEST_SKIP() << "nothing can be locked here";
  own.put(kMiddle, blocks);
  own.cache.drainer().drain_all();
  const std::uint32_t steps = own.returns.steps();
  own.retention.trim(0);
  EXPECT_NE(own.returns.steps(), steps);
  syscall(SYS_munlock, blocks.front(), bytes);
}

}  // namespace
}  // namespace bufpool
