// SPDX-License-Identifier: MIT
#include "pool/sampling/sampled_stacks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace bufpool {
namespace {

using Frames = std::array<std::uint64_t, 3>;

class SampledStacksTest : public testing::Test {
 protected:
  void SetUp() override { words_.open(records_.get()); }

  StatsSampledStack& record(std::size_t number) { return records_->stacks[number]; }

  std::unique_ptr<StatsSamples> records_ = std::make_unique<StatsSamples>();
  SampleWords words_;
  SampledStacks stacks_{words_};
};

TEST_F(SampledStacksTest, FindsAStackAgain) {
  const std::size_t first = stacks_.find(Frames{1, 2, 3});
  const std::size_t second = stacks_.find(Frames{3, 2, 1});
  EXPECT_NE(first, SampledStacks::kOther);
  EXPECT_NE(second, SampledStacks::kOther);
  EXPECT_NE(first, second);
  EXPECT_EQ(stacks_.find(Frames{1, 2, 3}), first);
  EXPECT_EQ(record(first).depth, 3U);
  EXPECT_EQ(record(first).frames[2], 3U);
}

TEST_F(SampledStacksTest, TakesAStackWithoutFrames) {
  EXPECT_NE(stacks_.find({}), SampledStacks::kOther);
  EXPECT_EQ(stacks_.find({}), stacks_.find({}));
}

TEST_F(SampledStacksTest, Counts) {
  const std::size_t stack = stacks_.find(Frames{1, 2, 3});
  stacks_.count_get(stack, 1000);
  stacks_.count_get(stack, 500);
  stacks_.count_put(stack, 1000, 70);
  stacks_.count_put(stack, 500, 30);
  EXPECT_EQ(record(stack).gets, 2U);
  EXPECT_EQ(record(stack).bytes, 1500U);
  EXPECT_EQ(record(stack).puts, 2U);
  EXPECT_EQ(record(stack).put_bytes, 1500U);
  EXPECT_EQ(record(stack).held_ns, 100U);
  EXPECT_EQ(record(stack).longest_ns, 70U);
}

TEST_F(SampledStacksTest, WhatHasNoRoomIsOther) {
  std::set<std::size_t> found;
  bool other = false;
  for (std::uint64_t i = 0; i < 4 * kStatsSampledStacks; ++i) {
    const std::size_t number = stacks_.find(Frames{i, i + 1, i + 2});
    other |= number == SampledStacks::kOther;
    const bool added = number == SampledStacks::kOther || found.insert(number).second;
    EXPECT_TRUE(added) << number;
  }
  EXPECT_TRUE(other);
  EXPECT_GT(found.size(), kStatsSampledStacks * 9 / 10);
  EXPECT_EQ(record(SampledStacks::kOther).hash, 0U);
  EXPECT_NE(stacks_.find(Frames{0, 1, 2}), SampledStacks::kOther) << "it is still found";
}

// A fork may cut off a thread that has claimed a record and not written its frames.
TEST_F(SampledStacksTest, AClaimedRecordIsFilledByTheNext) {
  const std::size_t stack = stacks_.find(Frames{1, 2, 3});
  record(stack).depth = 0;
  std::fill(std::begin(record(stack).frames), std::end(record(stack).frames), 0);
  EXPECT_EQ(stacks_.find(Frames{1, 2, 3}), stack);
  EXPECT_EQ(record(stack).depth, 3U);
  EXPECT_EQ(record(stack).frames[0], 1U);
}

TEST_F(SampledStacksTest, RacingThreadsAgree) {
  constexpr std::uint64_t kStacks = 100;
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      for (std::uint64_t n = 0; n < kStacks; ++n) {
        const std::size_t stack = stacks_.find(Frames{n, n * 7, n * 13});
        stacks_.count_get(stack, n);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::size_t used = 0;
  for (const StatsSampledStack& stack : records_->stacks) {
    used += stack.hash != 0 ? 1 : 0;
    EXPECT_EQ(stack.gets, stack.hash != 0 ? std::uint64_t{kThreads} : 0);
  }
  EXPECT_EQ(used, kStacks);
}

}  // namespace
}  // namespace bufpool
