// SPDX-License-Identifier: MIT
#include "pool/retention/budget.h"
#include "pool/options/policy.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace bufpool {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kMost = 64 * kMiB;
constexpr std::int32_t kPassMs = 250;

// Has a budget, and a clock that only the test moves.
class BudgetTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  BudgetTest() { budget_.open(kMost); }

  void refault(std::uint64_t bytes) { budget_.raise_after_refault(bytes, now_); }
  std::uint64_t bytes() const { return budget_.bytes(now_); }

  // Lets time pass, and settles as often as passes are made.
  void pass(std::int32_t milliseconds) {
    for (std::int32_t gone = 0; gone < milliseconds; gone += kPassMs) {
      now_ += kPassMs;
      budget_.settle(now_);
    }
  }

  Budget budget_;
  std::uint32_t now_ = GetParam();
};

// The first thread that needs the limits reads files for them. Others go on meanwhile.
TEST(BudgetBeforeItsMostIsKnown, HasItsFloorAndKeepsWhatIsEarned) {
  Budget budget;
  EXPECT_EQ(budget.bytes(5), policy::kBudgetFloor);
  EXPECT_EQ(budget.most(), policy::kRetainMostByDefault);
  budget.raise_after_refault(10 * kMiB, 5);
  EXPECT_EQ(budget.bytes(5), policy::kBudgetFloor + 10 * kMiB);
  budget.open(kMost);
  EXPECT_EQ(budget.bytes(5), policy::kBudgetFloor + 10 * kMiB);
}

TEST(BudgetBeforeItsMostIsKnown, IsBoundByTheMostOnceThatIs) {
  Budget budget;
  budget.raise_after_refault(40 * kMiB, 5);
  budget.open(12 * kMiB);
  EXPECT_EQ(budget.bytes(5), 12 * kMiB);
  budget.settle(5 + policy::kBudgetCalmMs);
  EXPECT_EQ(budget.bytes(5), 11 * kMiB) << "what was earned beyond the most counts no more";
}

// The clock of 32 bits comes round after 49 days.
INSTANTIATE_TEST_SUITE_P(Clocks, BudgetTest, testing::Values(100'000U, 0xffff'fff0U));

TEST_P(BudgetTest, StartsAtTheFloor) {
  EXPECT_EQ(bytes(), policy::kBudgetFloor);
  EXPECT_EQ(budget_.most(), kMost);
}

TEST_P(BudgetTest, TheFloorIsNotAboveTheMost) {
  Budget small;
  small.open(kMiB);
  EXPECT_EQ(small.bytes(now_), kMiB);
  small.raise_after_refault(kMiB, now_);
  EXPECT_EQ(small.bytes(now_), kMiB);
  small.settle(now_ + 100'000);
  EXPECT_EQ(small.bytes(now_), kMiB);
}

TEST_P(BudgetTest, AShareOfWhatIsInUseNeedNotBeEarned) {
  const std::uint64_t share = 3 * policy::kBudgetFloor;
  budget_.set_in_use(share * policy::kBudgetInUseDivisor);
  EXPECT_EQ(bytes(), share);
  refault(kMiB);
  EXPECT_EQ(bytes(), share + kMiB);
  budget_.set_in_use(kMiB);
  EXPECT_EQ(bytes(), policy::kBudgetFloor + kMiB);
  budget_.set_in_use(2 * kMost * policy::kBudgetInUseDivisor);
  EXPECT_EQ(bytes(), kMost);
}

TEST_P(BudgetTest, RegretRaisesItByWhatWasMissed) {
  refault(3 * kMiB);
  EXPECT_EQ(bytes(), policy::kBudgetFloor + 3 * kMiB);
  refault(5 * kMiB);
  EXPECT_EQ(bytes(), policy::kBudgetFloor + 8 * kMiB);
}

TEST_P(BudgetTest, NothingRaisesItAboveTheMost) {
  refault(kMost);
  EXPECT_EQ(bytes(), kMost);
  refault(1);
  EXPECT_EQ(bytes(), kMost);
}

TEST_P(BudgetTest, CalmIsWaitedForBeforeItIsLowered) {
  refault(32 * kMiB);
  const std::uint64_t raised = bytes();
  pass(policy::kBudgetCalmMs - kPassMs);
  EXPECT_EQ(bytes(), raised);
  pass(kPassMs);
  EXPECT_EQ(bytes(), raised - 8 * kMiB) << "a quarter of what is above the floor";
}

TEST_P(BudgetTest, OnceCalmItIsLoweredStepByStep) {
  refault(32 * kMiB);
  pass(policy::kBudgetCalmMs);
  const std::uint64_t first = bytes();
  pass(policy::kBudgetStepMs - kPassMs);
  EXPECT_EQ(bytes(), first);
  pass(kPassMs);
  EXPECT_EQ(bytes(), first - (first - policy::kBudgetFloor) / 4);
}

TEST_P(BudgetTest, RegretEndsTheCalm) {
  refault(32 * kMiB);
  pass(policy::kBudgetCalmMs + 3 * policy::kBudgetStepMs);
  refault(kMiB);
  const std::uint64_t raised = bytes();
  pass(policy::kBudgetCalmMs - kPassMs);
  EXPECT_EQ(bytes(), raised);
}

// A pass takes its time. What another thread regrets meanwhile is later than the pass began.
TEST_P(BudgetTest, RegretDuringAPassIsNotTakenForCalm) {
  pass(policy::kBudgetCalmMs);
  budget_.raise_after_refault(32 * kMiB, now_ + 8);
  budget_.settle(now_);
  EXPECT_EQ(bytes(), policy::kBudgetFloor + 32 * kMiB);
}

TEST_P(BudgetTest, WithoutRegretItEndsAtTheFloor) {
  refault(kMost);
  pass(60'000);
  EXPECT_LT(bytes(), policy::kBudgetFloor + 64);
  EXPECT_GE(bytes(), policy::kBudgetFloor);
}

TEST_P(BudgetTest, PressureHalvesItForAWhile) {
  refault(8 * kMiB);
  budget_.press(now_);
  EXPECT_EQ(bytes(), 8 * kMiB);
  now_ += policy::kPressedMs - 1;
  EXPECT_EQ(bytes(), 8 * kMiB);
  now_ += 1;
  EXPECT_EQ(bytes(), 16 * kMiB);
}

// Buffers come back all the time. What is over the budget goes back and is missed, until all of
// them fit.
TEST_P(BudgetTest, SettlesWhereWhatComesBackFits) {
  constexpr std::uint64_t kNeeded = 40 * kMiB;
  std::uint64_t missed_late = 0;
  for (int second = 0; second < 120; ++second) {
    const std::uint64_t missed = bytes() < kNeeded ? kNeeded - bytes() : 0;
    if (missed > 0) refault(missed);
    if (second >= 10) missed_late += missed;
    pass(1000);
  }
  EXPECT_LT(missed_late, kNeeded * 110 / 10) << "nine of ten come back to their pages";
  EXPECT_GT(bytes(), kNeeded * 3 / 4);
}

// The sizes change: there is a burst of regret at each change, and none in between.
TEST_P(BudgetTest, SettlesLowWhereWhatWasPurgedDoesNotComeBack) {
  refault(16 * kMiB);
  std::uint64_t kept_second_bytes = 0;
  for (int second = 0; second < 120; ++second) {
    if (second % 60 == 0) refault(kMiB);
    pass(1000);
    kept_second_bytes += bytes() - policy::kBudgetFloor;
  }
  EXPECT_LT(kept_second_bytes / 120, 2 * kMiB);
  EXPECT_LT(bytes(), policy::kBudgetFloor + kMiB / 16);
}

// They run in lockstep: a thread regrets while another settles a budget that has been calm for
// long.
TEST(BudgetThreads, RegretBesideSettlingEndsTheCalm) {
  constexpr std::uint32_t kRounds = 2000;
  Budget budget;
  budget.open(kMost);
  std::atomic<std::uint32_t> round{0};
  std::atomic<std::uint32_t> regretted{0};
  const auto time_of = [](std::uint32_t n) { return n * 2 * policy::kBudgetCalmMs; };
  std::thread other([&] {
    for (std::uint32_t n = 1; n <= kRounds; ++n) {
      while (round < n) std::this_thread::yield();
      budget.raise_after_refault(kMiB, time_of(n));
      regretted = n;
    }
  });
  for (std::uint32_t n = 1; n <= kRounds; ++n) {
    round = n;
    budget.settle(time_of(n));
    while (regretted < n) std::this_thread::yield();
    const std::uint64_t raised = budget.bytes(time_of(n));
    budget.settle(time_of(n) + policy::kBudgetCalmMs - 1);
    ASSERT_EQ(budget.bytes(time_of(n)), raised) << "round " << n;
  }
  other.join();
}

TEST(BudgetThreads, PressureBesideSettlingIsNotLost) {
  constexpr std::uint32_t kRounds = 2000;
  Budget budget;
  budget.open(kMost);
  std::atomic<std::uint32_t> round{0};
  std::atomic<std::uint32_t> pressed{0};
  const auto time_of = [](std::uint32_t n) { return n * 2 * policy::kPressedMs; };
  std::thread other([&] {
    for (std::uint32_t n = 1; n <= kRounds; ++n) {
      while (round < n) std::this_thread::yield();
      budget.press(time_of(n));
      pressed = n;
    }
  });
  for (std::uint32_t n = 1; n <= kRounds; ++n) {
    round = n;
    budget.settle(time_of(n));
    while (pressed < n) std::this_thread::yield();
    ASSERT_EQ(budget.bytes(time_of(n)), policy::kBudgetFloor / 2) << "round " << n;
  }
  other.join();
}

TEST(BudgetThreads, NoRegretIsLost) {
  Budget budget;
  budget.open(kMost);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&budget] {
      for (int i = 0; i < 10'000; ++i) budget.raise_after_refault(64, 100);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.bytes(100), policy::kBudgetFloor + 4 * 10'000 * 64);
}

}  // namespace
}  // namespace bufpool
