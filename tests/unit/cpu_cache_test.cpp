// SPDX-License-Identifier: MIT
#include "pool/percpu/cpu_cache.h"

#include <gtest/gtest.h>

#include <array>
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

TEST_P(CpuCacheTest, EveryClassHitsWithinTheBudget) {
  for_each_class([&](ClassIndex c) {
    if (stride_bytes(c) > 32 << 20) return;
    cycle(c, 1);
    const std::uint64_t before = own_->cache.counters().of(c).hits;
    cycle(c, 1);
    EXPECT_EQ(own_->cache.counters().of(c).hits, before + 1) << nominal_bytes(c);
  });
}

TEST_P(CpuCacheTest, WhatIsLargerThanTheBudgetComesFromTheSpansEachTime) {
  cycle(kLastClass, 1);
  cycle(kLastClass, 1);
  EXPECT_EQ(own_->cache.counters().of(kLastClass).hits, 0U);
  EXPECT_EQ(own_->behind(kLastClass).misses, 2U);
  EXPECT_EQ(own_->behind(kLastClass).carved_bytes, span_bytes(kLastClass));
}

// Only the small block that is served has its page touched.
TEST_P(CpuCacheTest, WhatComesFreshIsNotedAsZeroAndWhatComesBackIsNot) {
  const Cookies cookies;
  for (const ClassIndex c : {kSmall, class_step(16 << 10), class_step(1 << 20)}) {
    const Block fresh = own_->take(c);
    EXPECT_EQ(guard_line(fresh).state, cookies.known_zero(fresh));
    guard_line(fresh).state = 7;
    own_->put(c, fresh);
    own_->cache.drainer().drain_all();
    const Block used = own_->take(c);
    EXPECT_EQ(used, fresh);
    EXPECT_EQ(guard_line(used).state, 7U);
    const Block next = own_->take(c);
    EXPECT_EQ(guard_line(next).state, c == kSmall ? 0U : cookies.known_zero(next));
  }
}

TEST_P(CpuCacheTest, AnExhaustedClassMisses) {
  const OwnSpace space;
  std::array<SharedSpans, kClassSlots> spans{};
  constexpr std::size_t kMost = 5;
  // It is the largest class of which ThreadSanitizer leaves room for more.
  constexpr ClassIndex kLarge = class_step(std::size_t{64} << 20);
  spans[to_number(kLarge)].open(kLarge, space.get(), kMost);
  CpuCache cache;
  cache.open(GetParam(), 32 << 20, spans.data());
  std::vector<Block> blocks;
  while (const Block block = cache.refill(kLarge, 1).block) blocks.push_back(block);
  EXPECT_EQ(blocks.size(), kMost);
  cache.overflow(kLarge, blocks.back());
  EXPECT_EQ(cache.refill(kLarge, 1).block, blocks.back());
}

}  // namespace
}  // namespace bufpool
