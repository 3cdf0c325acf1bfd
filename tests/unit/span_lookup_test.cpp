// SPDX-License-Identifier: MIT
#include "pool/spans/span_lookup.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/class_spans.h"

namespace bufpool {
namespace {

// A class of nominal 4 KiB has 16 blocks a span.
const ClassIndex kSmall = class_step(4096);

TEST(SpanLookup, BlockAroundFindsTheBlockOfEveryByte) {
  ClassSpans own(kSmall);
  for (const Block block : own.take(2 * own.in_span())) {
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{1}, std::size_t{64}, own.stride() - 1}) {
      EXPECT_EQ(own.lookup().block_around(block + at), block);
      EXPECT_EQ(own.lookup().is_block(block + at), at == 0);
    }
  }
}

TEST(SpanLookup, WhatIsNotCommittedIsNoBlock) {
  ClassSpans own(kSmall);
  EXPECT_FALSE(own.lookup().is_block(own.space.get()->range().start));
  const std::vector<Block> blocks = own.take(1);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_TRUE(own.lookup().is_block(blocks[0]));
  EXPECT_TRUE(own.lookup().maps(blocks[0]));
  for (const std::size_t bytes : {std::size_t{2} << 20, kChunkBytes - 1, 100 * kChunkBytes}) {
    const Block beyond = blocks[0] + bytes / own.stride() * own.stride();
    EXPECT_FALSE(own.lookup().is_block(beyond));
    EXPECT_FALSE(own.lookup().maps(beyond));
  }
}

TEST(SpanLookup, ABlocksPlaceIsTheRecords) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(2);
  EXPECT_EQ(own.lookup().place_of(blocks[0]), BlockPlace::kOut);
  own.put(blocks[0]);
  EXPECT_EQ(own.lookup().place_of(blocks[0]), BlockPlace::kUnused);
  EXPECT_EQ(own.lookup().place_of(blocks[1]), BlockPlace::kOut);
  own.put(blocks[1]);
  SpanBatch batch = own.detach_idle(0, 0, ~std::uint64_t{0});
  EXPECT_GT(own.purge(batch, 0), 0U);
  EXPECT_EQ(own.lookup().place_of(blocks[1]), BlockPlace::kFree);
  OwnerLock::begin_fork();
  EXPECT_EQ(own.lookup().place_of(blocks[0]), BlockPlace::kUnknown);
  OwnerLock::end_fork();
}

}  // namespace
}  // namespace bufpool
