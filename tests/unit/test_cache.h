// SPDX-License-Identifier: MIT
// Has a cache with the spans behind it, for tests in both modes on one CPU.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "pool/percpu/cpu_cache.h"
#include "tests/unit/class_spans.h"
#include "tests/unit/in_child.h"
#include "tests/unit/one_cpu.h"

namespace bufpool {

inline const ClassIndex kSmall = class_step(4096);

// Has a cache and the spans behind it, in memory of their own. It takes and puts as the pool does.
struct TestCache {
  explicit TestCache(PoolMode wanted, std::uint64_t budget = 32 << 20) {
    for_each_class([&](ClassIndex c) { spans[to_number(c)].open(c, space.get()); });
    mode = cache.open(wanted, budget, spans.data());
  }

  Block take(ClassIndex c, std::size_t asked = 1) {
    Block block = cache.pop(empty_stack_address(c), asked);
    if (block == 0) block = cache.pop_again(c, asked);
    return block != 0 ? block : cache.refill(c, asked).block;
  }
  void put(ClassIndex c, Block block) {
    if (cache.push(empty_stack_address(c), block) || cache.push_again(c, block)) return;
    cache.overflow(c, block);
  }

  std::uint64_t cached_bytes() const {
    std::uint64_t sum = 0;
    for_each_class([&](ClassIndex c) { sum += cache.counters().of(c).depth * stride_bytes(c); });
    return sum;
  }
  SpanCounters behind(ClassIndex c) { return spans[to_number(c)].counters(); }

  OwnSpace space;
  std::array<SharedSpans, kClassSlots> spans{};
  CpuCache cache;
  PoolMode mode;
};

class CpuCacheTest : public testing::TestWithParam<PoolMode> {
 protected:
  void SetUp() override {
    if (kThreadSanitizer && GetParam() == PoolMode::kRseq) {
      GTEST_SKIP() << "ThreadSanitizer does not understand restartable sequences";
    }
    remake(32 << 20);
    if (own_->mode != GetParam()) GTEST_SKIP() << "no restartable sequences here";
  }
  void remake(std::uint64_t budget) {
    own_.reset();
    own_ = std::make_unique<TestCache>(GetParam(), budget);
  }

  // Takes and puts `count` blocks, all through the cache.
  void cycle(ClassIndex c, std::size_t count) {
    std::vector<Block> blocks(count);
    for (Block& block : blocks) block = own_->take(c);
    for (const Block block : blocks) own_->put(c, block);
  }

  // Empties the cache, and checks that all blocks that were ever cut are in the spans, each once.
  void expect_all_back(ClassIndex c) {
    own_->cache.drainer().drain_all();
    EXPECT_EQ(own_->cache.counters().of(c).depth, 0U);
    EXPECT_EQ(own_->behind(c).outstanding(), 0U);
    const std::size_t count = own_->behind(c).carved_bytes / stride_bytes(c);
    std::set<Block> blocks;
    Block block = 0;
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(own_->spans[to_number(c)].take(std::span(&block, 1)).count, 1U);
      EXPECT_TRUE(blocks.insert(block).second) << "a block came twice";
    }
    EXPECT_EQ(own_->behind(c).carved_bytes, count * stride_bytes(c)) << "a block was lost";
  }

  OneCpu one_cpu_;
  std::unique_ptr<TestCache> own_;
};

inline const auto kCacheModes = testing::Values(PoolMode::kRseq, PoolMode::kLocked);
inline constexpr auto kCacheModeName = [](const testing::TestParamInfo<PoolMode>& mode) {
  return std::string(mode.param == PoolMode::kRseq ? "rseq" : "locked");
};

}  // namespace bufpool
