// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "pool/mapping/span_warmup.h"
#include "pool/spans/shared_spans.h"
#include "tests/unit/class_spans.h"
#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

class SpanWarmupTest : public testing::TestWithParam<std::size_t> {
 protected:
  std::uint64_t up_to_spans(std::uint64_t blocks) const {
    return (blocks + own_.in_span() - 1) / own_.in_span() * own_.in_span();
  }
  ClassSpans own_{class_step(GetParam())};
};

INSTANTIATE_TEST_SUITE_P(Classes, SpanWarmupTest,
                         testing::Values(576, 4096, 40000, 65536, 81920, 1 << 20));

TEST_P(SpanWarmupTest, WhatIsWarmIsIdleAndNothingElse) {
  EXPECT_EQ(warm_up(own_.spans.state(), 20), up_to_spans(20));
  const SpanCounters counters = own_.spans.counters();
  EXPECT_EQ(counters.idle_bytes, up_to_spans(20) * own_.stride());
  EXPECT_EQ(counters.carved_bytes, counters.idle_bytes);
  EXPECT_EQ(counters.outstanding(), 0U);
  EXPECT_EQ(counters.misses + counters.filled + counters.overflows + counters.drained, 0U);
  EXPECT_EQ(counters.outstanding_peak + counters.faulted_bytes + counters.purged_bytes, 0U);
}

TEST_P(SpanWarmupTest, ManyAreCommittedStepByStep) {
  const std::uint64_t blocks = (std::uint64_t{48} << 20) / own_.stride();
  EXPECT_EQ(warm_up(own_.spans.state(), blocks), up_to_spans(blocks));
  EXPECT_EQ(own_.spans.counters().idle_bytes, up_to_spans(blocks) * own_.stride());
}

TEST_P(SpanWarmupTest, TakesThatFollowNeedNoFreshPages) {
  EXPECT_GE(warm_up(own_.spans.state(), 20), 20U);
  std::set<Block> blocks;
  Block block = kNoBlock;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(own_.spans.take(std::span(&block, 1)).fresh_bytes, 0U);
    EXPECT_TRUE(blocks.insert(block).second);
    EXPECT_TRUE(reads_zero(block, own_.stride())) << "what is warm still reads as zero";
  }
  EXPECT_EQ(own_.spans.counters().faulted_bytes, 0U);
}

TEST_P(SpanWarmupTest, WhatIsWarmIsStillKnownToBeZero) {
  EXPECT_GE(warm_up(own_.spans.state(), 1), 1U);
  Block block = kNoBlock;
  EXPECT_EQ(own_.spans.take(std::span(&block, 1)).zeroed, 1U);
}

TEST_P(SpanWarmupTest, PurgedSpansAreWarmedBeforeOthersAreCut) {
  const std::vector<Block> blocks = own_.take(3 * own_.in_span());
  own_.put(blocks);
  SpanBatch batch = own_.detach_idle(0, 0, ~std::uint64_t{0});
  ASSERT_GT(own_.purge(batch, 0), 0U);
  EXPECT_EQ(warm_up(own_.spans.state(), 2 * own_.in_span()), 2 * own_.in_span());
  EXPECT_EQ(own_.spans.counters().carved_bytes, 3 * own_.in_span() * own_.stride());
  EXPECT_EQ(own_.spans.counters().idle_bytes, 2 * own_.in_span() * own_.stride());
}

TEST_P(SpanWarmupTest, BlocksInUseAreUnharmed) {
  const std::vector<Block> blocks = own_.take(own_.in_span() + 1);
  for (const Block block : blocks) fill_block(block, own_.stride());
  warm_up(own_.spans.state(), 3 * own_.in_span());
  for (const Block block : blocks) EXPECT_TRUE(still_filled(block, own_.stride()));
}

TEST_P(SpanWarmupTest, WhatWasNotWantedGoesBackAsAllElse) {
  const std::uint64_t bytes = warm_up(own_.spans.state(), 8) * own_.stride();
  SpanBatch batch = own_.detach_idle(0, 0, ~std::uint64_t{0});
  EXPECT_EQ(own_.purge(batch, 0), bytes);
  EXPECT_EQ(own_.spans.counters().idle_bytes, 0U);
}

TEST(SpanWarmup, PagesAreResident) {
  if (kLimitsMeanNothing) GTEST_SKIP() << "shadow memory is resident too";
  ClassSpans own(class_step(1 << 20));
  const std::size_t before = platform::resident_bytes();
  EXPECT_EQ(warm_up(own.spans.state(), 32), 32U);
  EXPECT_GT(platform::resident_bytes(), before + (30 << 20));
}

TEST(SpanWarmup, WhileThisThreadHoldsTheLockNothingIsWarmed) {
  ClassSpans own(class_step(4096));
  OwnerLock::begin_fork();
  EXPECT_EQ(warm_up(own.spans.state(), 10), 0U);
  OwnerLock::end_fork();
}

TEST(SpanWarmup, ThreadsTakeMeanwhile) {
  ClassSpans own(class_step(20000));
  std::thread warmer([&] { warm_up(own.spans.state(), 500); });
  std::vector<Block> blocks;
  for (int i = 0; i < 300; ++i) {
    const std::vector<Block> some = own.take(2);
    for (const Block block : some) fill_block(block, own.stride());
    blocks.insert(blocks.end(), some.begin(), some.end());
  }
  warmer.join();
  for (const Block block : blocks) EXPECT_TRUE(still_filled(block, own.stride()));
  std::sort(blocks.begin(), blocks.end());
  EXPECT_EQ(std::adjacent_find(blocks.begin(), blocks.end()), blocks.end());
}

}  // namespace
}  // namespace bufpool
