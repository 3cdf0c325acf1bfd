// SPDX-License-Identifier: MIT
#include "pool/retention/retention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "pool/platform/clock.h"
#include "pool/platform/memory_limits.h"
#include "tests/unit/in_child.h"
#include "tests/unit/retained.h"

namespace bufpool {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::uint64_t kLongMs = 600'000;
constexpr std::uint32_t kGiveUpMs = 60'000;
const ClassIndex kPage = class_step(4096);
const ClassIndex kMiddle = class_step(64 << 10);
const ClassIndex kLarge = class_step(kMiB);

std::uint32_t now() { return static_cast<std::uint32_t>(platform::coarse_milliseconds()); }
void sleep_ms(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// With these options nothing goes back but by the rule that a test is about.
Options patient() {
  Options options = default_options();
  options.retain_time = kLongMs;
  options.retain_max = {.bytes = 64 * kMiB};
  return options;
}

class RetentionTest : public testing::TestWithParam<PoolMode> {
 protected:
  void SetUp() override {
    if (kThreadSanitizer && GetParam() == PoolMode::kRseq) {
      GTEST_SKIP() << "ThreadSanitizer does not understand restartable sequences";
    }
    if (make(patient()).mode != GetParam()) GTEST_SKIP() << "no restartable sequences here";
  }
  Retained& make(const Options& options) {
    own_.reset();
    own_ = std::make_unique<Retained>(GetParam(), options);
    return *own_;
  }

  // Makes passes until at most `bytes` are idle. Returns false if they never were.
  bool passes_down_to(std::uint64_t bytes) {
    const std::uint32_t start = now();
    while (own_->retention.pass() > bytes) {
      if (now() - start > kGiveUpMs) return false;
      sleep_ms(20);
    }
    return true;
  }

  std::unique_ptr<Retained> own_;
};

INSTANTIATE_TEST_SUITE_P(Modes, RetentionTest, testing::Values(PoolMode::kRseq, PoolMode::kLocked),
                         [](const auto& mode) {
                           return mode.param == PoolMode::kRseq ? "rseq" : "locked";
                         });

TEST_P(RetentionTest, WithNothingIdleThereIsNothingToDo) {
  EXPECT_EQ(own_->retention.pass(), 0U);
  EXPECT_EQ(own_->retention.trim(0), 0U);
  EXPECT_EQ(own_->retention.figures().trims, 0U);
}

TEST_P(RetentionTest, IdleIsWhatLiesInSpansAndCaches) {
  const std::vector<Block> blocks = own_->take_bytes(kMiddle, 4 * kMiB);
  const std::uint64_t filled = own_->retention.idle_bytes();
  own_->put(kMiddle, blocks);
  const std::uint64_t all = own_->retention.idle_bytes();
  EXPECT_EQ(all, filled + blocks.size() * stride_bytes(kMiddle));
  own_->cache.drainer().drain_all();
  EXPECT_EQ(own_->retention.idle_bytes(), all);
  EXPECT_EQ(own_->idle(kMiddle), all);
}

TEST_P(RetentionTest, WithinTheBudgetNothingGoesBackEarly) {
  own_->leave_idle(kMiddle, 6 * kMiB);
  const std::uint64_t idle = own_->retention.idle_bytes();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(own_->retention.pass(), idle);
  sleep_ms(1200);
  EXPECT_EQ(own_->retention.pass(), idle);
  EXPECT_EQ(own_->retention.figures().trims, 0U);
}

// This is rule 2.
TEST_P(RetentionTest, OverTheBudgetItGoesBackAfterASecondOfGrace) {
  const std::uint32_t start = now();
  own_->leave_idle(kMiddle, 32 * kMiB);
  const std::uint64_t idle = own_->retention.idle_bytes();
  const std::uint64_t at_once = own_->retention.pass();
  if (now() - start < 990) {
    EXPECT_EQ(at_once, idle) << "a burst repeated at once finds its pages";
  }
  EXPECT_TRUE(passes_down_to(policy::kBudgetFloor));
  EXPECT_GE(now() - start, 990U);
  EXPECT_GT(own_->idle(kMiddle), policy::kBudgetFloor - span_bytes(kMiddle))
      << "and no more than that";
}

TEST_P(RetentionTest, WhatLiesInACacheIsOverTheBudgetToo) {
  Options options = patient();
  options.retain_max = {.bytes = kMiB};
  options.cpu_cache = 32 * kMiB;
  Retained& own = make(options);
  for (int round = 0; round < 40; ++round) {
    own.put(kMiddle, own.take_bytes(kMiddle, 8 * kMiB));
  }
  ASSERT_GT(own.cache.counters().idle_bytes(), kMiB);
  EXPECT_TRUE(passes_down_to(kMiB));
  EXPECT_GT(own.retention.figures().cpu_drains, 0U);
}

// This is rule 3.
TEST_P(RetentionTest, InTheEndAllGoesBack) {
  Options options = patient();
  options.retain_time = 300;
  Retained& own = make(options);
  own.put(kMiddle, own.take_bytes(kMiddle, 3 * kMiB));
  own.put(kPage, own.take_bytes(kPage, kMiB));
  EXPECT_TRUE(passes_down_to(0));
  EXPECT_EQ(own.retention.idle_bytes(), 0U);
  EXPECT_GT(own.retention.figures().trims, 0U);
}

TEST_P(RetentionTest, WhatIsInUseStays) {
  Options options = patient();
  options.retain_time = 100;
  Retained& own = make(options);
  const std::vector<Block> blocks = own.take_bytes(kMiddle, 3 * kMiB);
  for (const Block block : blocks) fill_block(block, stride_bytes(kMiddle));
  own.leave_idle(kPage, kMiB);
  EXPECT_TRUE(passes_down_to(0));
  for (const Block block : blocks) EXPECT_TRUE(still_filled(block, stride_bytes(kMiddle)));
}

// A pass over much memory takes a while. What is freed meanwhile is young, and not older than all.
TEST_P(RetentionTest, WhatBecameIdleAfterALookAtTheClockIsYoung) {
  own_->leave_idle(kMiddle, 2 * kMiB);
  SharedSpans& spans = own_->spans[to_number(kMiddle)];
  EXPECT_EQ(
      SpanPurge(spans.state()).detach_idle_spans(now() - 1000, Milliseconds{500}, 64 * kMiB).count,
      0U);
  EXPECT_GT(
      SpanPurge(spans.state()).detach_idle_spans(now() - 1000, Milliseconds{0}, 64 * kMiB).count,
      0U);
}

// This is rule 1.
TEST_P(RetentionTest, FreshPagesAreNotTakenOnTopOfMuchIdle) {
  constexpr std::size_t kPeak = 40 * kMiB;
  own_->leave_idle(kMiddle, kPeak);
  std::uint64_t live = 0;
  for (std::size_t got = 0; got < kPeak; got += kMiB) {
    ASSERT_NE(own_->take(kLarge), kNoBlock);
    live += stride_bytes(kLarge);
    ASSERT_LE(own_->retention.idle_bytes() + live,
              kPeak + kPeak / 16 + policy::kBudgetFloor + span_bytes(kLarge));
  }
  EXPECT_LE(own_->idle(kMiddle), policy::kBudgetFloor);
  EXPECT_GT(own_->idle(kMiddle), policy::kBudgetFloor / 2) << "the budget is not for nothing";
}

TEST_P(RetentionTest, PagesTakenFreshForNoGoodReasonAreNoRegret) {
  own_->take_bytes(kLarge, 20 * kMiB);
  EXPECT_EQ(own_->retention.figures().budget, policy::kBudgetFloor);
}

// These buffers come back: whatever was purged is needed again at once.
TEST_P(RetentionTest, WhatComesBackEarnsItsBudget) {
  constexpr std::size_t kWorking = 24 * kMiB;
  own_->leave_idle(kMiddle, kWorking);
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t over = own_->retention.idle_bytes() - own_->retention.figures().budget;
    if (own_->retention.idle_bytes() <= own_->retention.figures().budget) break;
    own_->retention.trim(own_->retention.idle_bytes() - over);
    own_->leave_idle(kMiddle, kWorking);
  }
  EXPECT_GE(own_->retention.figures().budget, kWorking);
  EXPECT_LE(own_->retention.figures().budget, own_->retention.budget().learn_limits().most());
  EXPECT_GT(own_->spans[to_number(kMiddle)].counters().regretted_bytes, kWorking / 2);
}

TEST_P(RetentionTest, TheBudgetEndsAtItsMost) {
  Options options = patient();
  options.retain_max = {.bytes = 12 * kMiB};
  Retained& own = make(options);
  for (int round = 0; round < 4; ++round) {
    own.leave_idle(kMiddle, 10 * kMiB);
    own.retention.trim(0);
  }
  EXPECT_EQ(own.retention.figures().budget, 12 * kMiB);
}

// These sizes change and do not come back: what was purged is not needed again.
TEST_P(RetentionTest, SizesThatChangeEarnNothing) {
  constexpr std::size_t kLive = 12 * kMiB;
  for (std::size_t size = 5000; size < kMiB; size += size / 3) {
    own_->leave_idle(class_step(size), kLive);
    ASSERT_LE(own_->retention.idle_bytes(), kLive + policy::kBudgetFloor + 2 * kMiB) << size;
  }
  EXPECT_EQ(own_->retention.figures().budget, policy::kBudgetFloor);
}

TEST_P(RetentionTest, TrimKeepsWhatIsToBeKept) {
  own_->put(kMiddle, own_->take_bytes(kMiddle, 5 * kMiB));
  own_->put(kPage, own_->take_bytes(kPage, kMiB));
  own_->cache.drainer().drain_all();
  const std::uint64_t idle = own_->retention.idle_bytes();
  const std::uint64_t given = own_->retention.trim(3 * kMiB);
  EXPECT_EQ(own_->retention.idle_bytes(), idle - given);
  EXPECT_LE(idle - given, 3 * kMiB);
  EXPECT_GT(idle - given, 3 * kMiB - 2 * span_bytes(kPage));
  EXPECT_EQ(own_->retention.trim(3 * kMiB), 0U);
  EXPECT_EQ(own_->retention.trim(0), idle - given);
  EXPECT_EQ(own_->retention.trim(0), 0U);
  EXPECT_EQ(own_->retention.figures().trims, 2U);
}

TEST_P(RetentionTest, AClassMayHaveALimitOfItsOwn) {
  Options options = patient();
  options.retain_class_max = kMiB;
  Retained& own = make(options);
  own.leave_idle(kMiddle, 4 * kMiB);
  own.leave_idle(kPage, kMiB / 2);
  const std::uint64_t little = own.idle(kPage);
  own.retention.pass();
  EXPECT_LE(own.idle(kMiddle), kMiB);
  EXPECT_GT(own.idle(kMiddle), kMiB - 2 * span_bytes(kMiddle));
  EXPECT_EQ(own.idle(kPage), little);
}

TEST_P(RetentionTest, PassesThatAreNotDueAreNotMade) {
  Options options = patient();
  options.retain_class_max = kMiB;
  Retained& own = make(options);
  own.leave_idle(kMiddle, 4 * kMiB);
  const std::uint32_t start = now();
  own.retention.pass_if_due(false);
  EXPECT_LE(own.idle(kMiddle), kMiB);
  own.leave_idle(kMiddle, 4 * kMiB);
  own.retention.pass_if_due(false);
  if (now() - start < policy::kPassMs) {
    EXPECT_GT(own.idle(kMiddle), kMiB);
  }
  sleep_ms(policy::kPassMs + 20);
  own.retention.pass_if_due(false);
  EXPECT_LE(own.idle(kMiddle), kMiB);
}

TEST_P(RetentionTest, PressureGivesAllBackAndHalvesTheBudget) {
  own_->put(kMiddle, own_->take_bytes(kMiddle, 6 * kMiB));
  own_->retention.relieve_pressure();
  EXPECT_EQ(own_->retention.idle_bytes(), 0U);
  EXPECT_EQ(own_->retention.figures().pressure_events, 1U);
  EXPECT_EQ(own_->retention.figures().budget, policy::kBudgetFloor / 2);
}

// One of the threads reads the limits. The others do not take unknown limits for zero.
TEST_P(RetentionTest, WhileTheLimitsAreReadTheBudgetIsNotNothing) {
  constexpr int kRounds = 20;
  constexpr int kThreads = 4;
  for (int round = 0; round < kRounds; ++round) {
    Retained& own = make(default_options());
    own.leave_idle(kMiddle, 3 * kMiB);
    own.leave_idle(kLarge, 3 * kMiB);
    const std::uint64_t idle = own.retention.idle_bytes();
    ASSERT_GT(idle, policy::kBudgetFloor / 2) << "enough for a look at the budget";
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        ++ready;
        while (ready < kThreads) std::this_thread::yield();
        own.retention.after_fresh(kMiB, 0);
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (own.retention.budget().learn_limits().most() < idle)
      GTEST_SKIP() << "so little may be kept here";
    ASSERT_EQ(own.retention.idle_bytes(), idle);
  }
}

// What one thread regrets before another knows the limits counts as well.
TEST_P(RetentionTest, RegretCountsWhoeverReadsTheLimits) {
  constexpr int kThreads = 4;
  for (int round = 0; round < 20; ++round) {
    Retained& own = make(default_options());
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        ++ready;
        while (ready < kThreads) std::this_thread::yield();
        own.retention.after_fresh(kMiB, kMiB);
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(own.retention.figures().budget,
              std::min(policy::kBudgetFloor + kThreads * kMiB,
                       own.retention.budget().learn_limits().most()));
  }
}

TEST_P(RetentionTest, PassesByManyThreadsAtOnceTakeAsMuchAsOne) {
  Options options = patient();
  options.retain_class_max = 2 * kMiB;
  Retained& own = make(options);
  std::atomic<bool> stop{false};
  std::vector<std::thread> passers;
  for (int t = 0; t < 3; ++t) {
    passers.emplace_back([&] {
      while (!stop) own.retention.pass();
    });
  }
  for (int round = 0; round < 50; ++round) {
    own.leave_idle(kMiddle, 4 * kMiB);
    const std::uint32_t start = now();
    while (own.idle(kMiddle) > 2 * kMiB && now() - start < kGiveUpMs) std::this_thread::yield();
    ASSERT_LE(own.idle(kMiddle), 2 * kMiB);
    ASSERT_GT(own.idle(kMiddle), 2 * kMiB - 2 * span_bytes(kMiddle)) << "and no more than that";
  }
  stop = true;
  for (std::thread& thread : passers) thread.join();
}

TEST_P(RetentionTest, TheMostIsAsTheOptionSays) {
  const std::uint64_t limit = platform::memory_limit();
  Options options = default_options();
  EXPECT_EQ(make(options).retention.budget().learn_limits().most(),
            limit == 0 ? 64 * kMiB : std::min<std::uint64_t>(64 * kMiB, limit / 8));
  options.retain_max = {.bytes = 5 * kMiB};
  EXPECT_EQ(make(options).retention.budget().learn_limits().most(), 5 * kMiB);
  EXPECT_EQ(make(options).retention.figures().budget, 5 * kMiB);
  if (limit == 0) return;
  options.retain_max = {.percent = 50};
  EXPECT_EQ(make(options).retention.budget().learn_limits().most(), limit / 100 * 50);
}

TEST_P(RetentionTest, ThreadsKeepTheirBlocksWhilePassesAreMade) {
  Options options = patient();
  options.retain_time = 100;
  options.retain_max = {.bytes = 1};
  Retained& own = make(options);
  std::atomic<bool> stop{false};
  std::atomic<int> damaged{0};
  std::vector<std::thread> users;
  for (int t = 0; t < 3; ++t) {
    users.emplace_back([&, t] {
      const ClassIndex c = std::array{kPage, kMiddle, kMiddle}[static_cast<std::size_t>(t)];
      while (!stop) {
        const std::vector<Block> blocks = own.take_bytes(c, kMiB / 2);
        for (const Block block : blocks) fill_from(buffer_address(block, gap_bytes(c)), 64);
        for (const Block block : blocks) {
          damaged += !still_filled_from(buffer_address(block, gap_bytes(c)), 64);
        }
        own.put(c, blocks);
      }
    });
  }
  for (int i = 0; i < 100; ++i) {
    i % 10 == 9 ? own.retention.trim(0) : own.retention.pass();
    own.retention.pass_if_due(false);
    sleep_ms(2);
  }
  stop = true;
  for (std::thread& user : users) user.join();
  EXPECT_EQ(damaged, 0);
  EXPECT_TRUE(passes_down_to(0));
}

}  // namespace
}  // namespace bufpool
