// SPDX-License-Identifier: MIT
#include "pool/percpu/cpu_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>
#include <vector>

#include "tests/unit/test_cache.h"

namespace bufpool {
namespace {

INSTANTIATE_TEST_SUITE_P(Modes, CpuCacheTest, kCacheModes, kCacheModeName);

TEST_P(CpuCacheTest, TheLastPutIsTheNextTake) {
  const Block block = own_->take(kSmall);
  ASSERT_NE(block, 0U);
  own_->put(kSmall, block);
  EXPECT_EQ(own_->take(kSmall), block);
}

TEST_P(CpuCacheTest, HitsMissesAndBytesAskedAreCounted) {
  cycle(kSmall, 1);
  const StackCounters before = own_->cache.counters(kSmall);
  const std::uint64_t missed = own_->cache.asked_by_misses(kSmall);
  for (int i = 0; i < 10; ++i) own_->put(kSmall, own_->take(kSmall, 4000));
  const StackCounters after = own_->cache.counters(kSmall);
  EXPECT_EQ(after.hits - before.hits, 10U);
  EXPECT_EQ(after.asked - before.asked, 40000U);
  EXPECT_EQ(after.depth, before.depth);
  EXPECT_EQ(own_->cache.asked_by_misses(kSmall), missed);
  EXPECT_EQ(own_->behind(kSmall).misses, 1U);
}

// As in a vfork child: the spans serve, and nothing brings the thread back before its time.
TEST_P(CpuCacheTest, AThreadThatLeftItsSequencesGoesOnWithoutThem) {
  cycle(kSmall, 1);
  RseqArea* const area = leave_sequences();
  const StackCounters before = own_->cache.counters(kSmall);
  if (own_->mode == PoolMode::kRseq) {
    for (int i = 0; i < 3; ++i) cycle(kSmall, 100);
    const StackCounters after = own_->cache.counters(kSmall);
    EXPECT_EQ(after.hits, before.hits);
    EXPECT_EQ(after.depth, before.depth);
  }
  return_to_sequences(area);
  cycle(kSmall, 1);
  EXPECT_EQ(own_->cache.counters(kSmall).hits, before.hits + 1);
  expect_all_back(kSmall);
}

TEST_P(CpuCacheTest, EveryClassHitsWithinTheBudget) {
  for_each_class([&](ClassIndex c) {
    if (stride_bytes(c) > 32 << 20) return;
    cycle(c, 1);
    const std::uint64_t before = own_->cache.counters(c).hits;
    cycle(c, 1);
    EXPECT_EQ(own_->cache.counters(c).hits, before + 1) << nominal_bytes(c);
  });
}

TEST_P(CpuCacheTest, WhatIsLargerThanTheBudgetComesFromTheSpansEachTime) {
  cycle(kLastClass, 1);
  cycle(kLastClass, 1);
  EXPECT_EQ(own_->cache.counters(kLastClass).hits, 0U);
  EXPECT_EQ(own_->behind(kLastClass).misses, 2U);
  EXPECT_EQ(own_->behind(kLastClass).carved_bytes, span_bytes(kLastClass));
}

TEST_P(CpuCacheTest, CapacityGrowsWhereBlocksComeAndGo) {
  constexpr std::size_t kBlocks = 500;
  for (int i = 0; i < 40; ++i) cycle(kSmall, kBlocks);
  const std::uint64_t before = own_->behind(kSmall).misses;
  cycle(kSmall, kBlocks);
  EXPECT_EQ(own_->behind(kSmall).misses, before);
  EXPECT_GE(own_->cache.counters(kSmall).depth, kBlocks);
}

// What another CPU puts comes back by the spans.
TEST_P(CpuCacheTest, AStackThatOnlyRunsEmptyStaysSmall) {
  for (int i = 0; i < 3000; ++i) {
    const Block block = own_->take(kSmall);
    own_->spans[to_number(kSmall)].give(std::span(&block, 1), true);
    ASSERT_LE(own_->cache.counters(kSmall).depth, batch_blocks(kSmall));
  }
}

TEST_P(CpuCacheTest, AStackThatOnlyRunsFullStaysSmall) {
  for (int i = 0; i < 3000; ++i) {
    Block block = 0;
    ASSERT_EQ(own_->spans[to_number(kSmall)].take(std::span(&block, 1)).count, 1U);
    own_->put(kSmall, block);
    ASSERT_LE(own_->cache.counters(kSmall).depth, batch_blocks(kSmall));
  }
}

TEST_P(CpuCacheTest, TheBudgetIsKeptUnderManyClasses) {
  for (const std::uint64_t budget : {64 << 10, 1 << 20, 32 << 20}) {
    remake(budget);
    std::mt19937 random(3);
    for (int i = 0; i < 600; ++i) {
      const ClassIndex c{to_number(kFirstClass) + static_cast<std::uint32_t>(random()) % 61};
      cycle(c, 1 + random() % (stride_bytes(c) > (1 << 20) ? 3 : 60));
      ASSERT_LE(own_->cached_bytes(), budget);
    }
    EXPECT_GT(own_->cached_bytes(), budget / 8) << "and it is used";
  }
}

// A class that gets its share late gets it from those that lie idle.
TEST_P(CpuCacheTest, IdleClassesGiveWay) {
  remake(4 << 20);
  for (int i = 0; i < 30; ++i) cycle(class_step(64 << 10), 60);
  const std::uint64_t share = own_->cache.counters(class_step(64 << 10)).depth;
  EXPECT_GT(share * (64 << 10), std::uint64_t{2} << 20);
  for (int i = 0; i < 30; ++i) cycle(class_step(256 << 10), 12);
  EXPECT_GE(own_->cache.counters(class_step(256 << 10)).depth, 8U);
  EXPECT_LT(own_->cache.counters(class_step(64 << 10)).depth, share);
  expect_all_back(class_step(64 << 10));
}

TEST_P(CpuCacheTest, DrainingEmptiesTheCache) {
  for (int i = 0; i < 10; ++i) cycle(kSmall, 100);
  EXPECT_GT(own_->cache.counters(kSmall).depth, 0U);
  if (own_->cache.drain_all() == 0) GTEST_SKIP() << "the kernel refuses membarrier";
  expect_all_back(kSmall);
}

TEST_P(CpuCacheTest, HoldsWhatWasPutAndNotWhatIsOut) {
  cycle(kSmall, 40);
  const Block out = own_->take(kSmall);
  const Block back = own_->take(kSmall);
  own_->put(kSmall, back);
  EXPECT_TRUE(own_->cache.holds(kSmall, back));
  EXPECT_FALSE(own_->cache.holds(kSmall, out));
  EXPECT_FALSE(own_->cache.holds(kFirstClass, back));
  own_->put(kSmall, out);
  own_->cache.drain_all();
  EXPECT_FALSE(own_->cache.holds(kSmall, back));
}

// Of small blocks only the one that is served has its page touched.
TEST_P(CpuCacheTest, WhatComesFreshIsNotedAsZeroAndWhatComesBackIsNot) {
  const Cookies cookies;
  for (const ClassIndex c : {kSmall, class_step(16 << 10), class_step(1 << 20)}) {
    const Block fresh = own_->take(c);
    EXPECT_EQ(guard_line(fresh).state, cookies.known_zero(fresh));
    guard_line(fresh).state = 7;
    own_->put(c, fresh);
    own_->cache.drain_all();
    const Block used = own_->take(c);
    EXPECT_EQ(used, fresh);
    EXPECT_EQ(guard_line(used).state, 7U);
    const Block next = own_->take(c);
    EXPECT_EQ(guard_line(next).state, c == kSmall ? 0U : cookies.known_zero(next));
  }
}

TEST_P(CpuCacheTest, PeakIsSeenWhenTheCacheRunsEmpty) {
  std::vector<Block> blocks(300);
  for (Block& block : blocks) block = own_->take(kSmall);
  const std::uint64_t peak = own_->cache.in_use_peak(kSmall);
  EXPECT_LE(peak, 300U);
  EXPECT_GE(peak, 300U - batch_blocks(kSmall));
  for (const Block block : blocks) own_->put(kSmall, block);
  EXPECT_EQ(own_->cache.in_use_peak(kSmall), peak);
}

TEST_P(CpuCacheTest, AnExhaustedClassMisses) {
  const OwnSpace space;
  std::array<SharedSpans, kClassSlots> spans{};
  constexpr std::size_t kMost = 5;
  // The largest of which ThreadSanitizer leaves room for more.
  constexpr ClassIndex kLarge = class_step(std::size_t{64} << 20);
  spans[to_number(kLarge)].open(kLarge, space.get(), kMost);
  CpuCache cache;
  cache.open(GetParam(), 32 << 20, spans.data());
  std::vector<Block> blocks;
  while (const Block block = cache.refill(kLarge, 1).block) blocks.push_back(block);
  EXPECT_EQ(blocks.size(), kMost);
  cache.drain(kLarge, blocks.back());
  EXPECT_EQ(cache.refill(kLarge, 1).block, blocks.back());
}

// Several caches live in one process: the hit path's thread area is common to all.
TEST_P(CpuCacheTest, TwoCachesKeepApart) {
  for (const PoolMode other : {PoolMode::kRseq, PoolMode::kLocked}) {
    if (kThreadSanitizer && other == PoolMode::kRseq) continue;
    TestCache second(other);
    std::set<Block> out;
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(out.insert(own_->take(kSmall)).second);
      ASSERT_TRUE(out.insert(second.take(kSmall)).second);
    }
    const ChunkRange mine = own_->space.get()->range();
    for (const Block block : out) (mine.contains(block) ? *own_ : second).put(kSmall, block);
    EXPECT_EQ(second.behind(kSmall).outstanding(), second.cache.counters(kSmall).depth);
    EXPECT_EQ(own_->behind(kSmall).outstanding(), own_->cache.counters(kSmall).depth);
  }
}

}  // namespace
}  // namespace bufpool
