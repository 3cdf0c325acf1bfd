// SPDX-License-Identifier: MIT
// Tests spans that are cut from huge pages. It makes no difference whether the system has any,
// because the records say what would be resident.
#include <gtest/gtest.h>

#include <vector>

#include "pool/runs/huge_growth.h"
#include "tests/unit/class_spans.h"

namespace bufpool {
namespace {

class SpanHugeTest : public testing::TestWithParam<std::size_t> {
 protected:
  SpanHugeTest() { own_.space.get()->huge_pages().open(HugePagesChoice::kOn, true); }

  Taken take_one(Block& block) { return own_.spans.take(std::span(&block, 1)); }

  ClassSpans own_{class_step(GetParam())};
};

INSTANTIATE_TEST_SUITE_P(Classes, SpanHugeTest, testing::Values(576, 4096, 40000, 65536, 300000));

TEST_P(SpanHugeTest, TheFirstBlockBringsAllOfItsHugePageButForItsOwnSpan) {
  Block block = 0;
  const Taken first = take_one(block);
  EXPECT_LE(first.fresh_bytes, kHugePageBytes);
  EXPECT_GT(first.fresh_bytes + own_.in_span() * own_.stride(), kHugePageBytes);
  const std::size_t spans = kHugePageBytes / (own_.in_span() * own_.stride());
  const std::size_t blocks = spans * own_.in_span();
  for (std::size_t i = 1; i < blocks; ++i) {
    const Taken next = take_one(block);
    if (i < own_.in_span()) continue;
    ASSERT_EQ(next.fresh_bytes, 0U) << "block " << i;
    ASSERT_EQ(next.zeroed, i % own_.in_span() == 0 ? 1U : 0U) << "block " << i;
  }
}

TEST_P(SpanHugeTest, WhatCameAlongIsNotIdle) {
  Block block = 0;
  take_one(block);
  EXPECT_EQ(own_.spans.counters().idle_bytes, 0U);
}

TEST_P(SpanHugeTest, WhatCameAlongGoesBackOnceNothingIsCutFromIt) {
  Block block = 0;
  take_one(block);
  fill_block(block, own_.stride());
  const auto now = static_cast<std::uint32_t>(platform::coarse_milliseconds());
  EXPECT_EQ(own_.sweep(now, 1000), 0U);
  const std::uint64_t given = own_.sweep(now + 2000, 1000);
  EXPECT_GT(given + 2 * own_.in_span() * own_.stride(), kHugePageBytes);
  EXPECT_TRUE(still_filled(block, own_.stride()));
}

TEST_P(SpanHugeTest, WhatIsCutAfterAPurgeComesPageByPage) {
  const std::vector<Block> blocks = own_.take(own_.in_span());
  own_.put(blocks);
  SpanBatch batch = own_.detach_idle(0, 0, ~std::uint64_t{0});
  ASSERT_GT(own_.purge(batch, 0), 0U);
  Block block = 0;
  const Taken again = take_one(block);
  EXPECT_GT(again.fresh_bytes, 0U);
  EXPECT_LE(again.fresh_bytes, own_.stride() + 2 * platform::kPageBytes);
}

TEST_P(SpanHugeTest, SmallGainsSplitNoHugePage) {
  if (own_.in_span() < 4) GTEST_SKIP() << "a span that is partly used has few blocks";
  const std::size_t spans = kChunkBytes / (own_.in_span() * own_.stride());
  const std::vector<Block> blocks = own_.take(spans * own_.in_span());
  // The blocks are some in a row in the middle of a span.
  const std::size_t few = own_.in_span() / 2;
  own_.put(std::span(blocks).subspan(own_.in_span() + 1, few));
  const auto now = static_cast<std::uint32_t>(platform::coarse_milliseconds());
  (void)own_.sweep(now + 1000, 1000);
  EXPECT_EQ(own_.sweep(now + 3000, 1000), 0U);
  EXPECT_GT(own_.sweep(now + 3000, 0), 0U) << "but for whoever wants all there is";
}

}  // namespace
}  // namespace bufpool
