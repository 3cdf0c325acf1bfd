// SPDX-License-Identifier: MIT
#include "pool/percpu/cache_counters.h"

#include <gtest/gtest.h>

#include <vector>

#include "pool/options/policy.h"
#include "pool/percpu/cpu_cache.h"
#include "tests/unit/test_cache.h"

namespace bufpool {
namespace {

class CacheCountersTest : public CpuCacheTest {};

INSTANTIATE_TEST_SUITE_P(Modes, CacheCountersTest, kCacheModes, kCacheModeName);

TEST_P(CacheCountersTest, HitsMissesAndBytesAskedAreCounted) {
  cycle(kSmall, 1);
  const StackCounters before = own_->cache.counters().of(kSmall);
  const std::uint64_t missed = own_->cache.counters().asked_by_misses(kSmall);
  for (int i = 0; i < 10; ++i) own_->put(kSmall, own_->take(kSmall, 4000));
  const StackCounters after = own_->cache.counters().of(kSmall);
  EXPECT_EQ(after.hits - before.hits, 10U);
  EXPECT_EQ(after.asked - before.asked, 40000U);
  EXPECT_EQ(after.depth, before.depth);
  EXPECT_EQ(own_->cache.counters().asked_by_misses(kSmall), missed);
  EXPECT_EQ(own_->behind(kSmall).misses, 1U);
}

TEST_P(CacheCountersTest, HoldsWhatWasPutAndNotWhatIsOut) {
  cycle(kSmall, 40);
  const Block out = own_->take(kSmall);
  const Block back = own_->take(kSmall);
  own_->put(kSmall, back);
  EXPECT_TRUE(own_->cache.counters().holds(kSmall, back));
  EXPECT_FALSE(own_->cache.counters().holds(kSmall, out));
  EXPECT_FALSE(own_->cache.counters().holds(kFirstClass, back));
  own_->put(kSmall, out);
  own_->cache.drainer().drain_all();
  EXPECT_FALSE(own_->cache.counters().holds(kSmall, back));
}

TEST_P(CacheCountersTest, PeakIsSeenWhenTheCacheRunsEmpty) {
  std::vector<Block> blocks(300);
  for (Block& block : blocks) block = own_->take(kSmall);
  const std::uint64_t peak = own_->cache.counters().in_use_peak(kSmall);
  EXPECT_LE(peak, 300U);
  EXPECT_GE(peak, 300U - batch_blocks(kSmall));
  for (const Block block : blocks) own_->put(kSmall, block);
  EXPECT_EQ(own_->cache.counters().in_use_peak(kSmall), peak);
}

TEST(UnopenedCache, HoldsNothing) {
  CpuCache cache;
  Residence look;
  EXPECT_EQ(cache.counters().of(kSmall).depth, 0U);
  EXPECT_EQ(cache.counters().idle_bytes(), 0U);
  EXPECT_EQ(cache.counters().resident_bytes(kSmall, look), 0U);
  EXPECT_EQ(cache.counters().in_use_peak(kSmall), 0U);
  EXPECT_FALSE(cache.counters().holds(kSmall, Block{64}));
  EXPECT_EQ(cache.drainer().drain_all(), 0U);
  EXPECT_EQ(cache.drainer().drain_quiet(0, 0), 0U);
  EXPECT_EQ(cache.capacity().cpu_budget(), policy::kRetainMostByDefault);
}

}  // namespace
}  // namespace bufpool
