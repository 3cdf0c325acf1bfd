// SPDX-License-Identifier: MIT
#include "pool/addresses/chunk_space.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace bufpool {
namespace {

TEST(ChunkSpace, BeforeItIsOpenNothingIsInIt) {
  const auto space = std::make_unique<ChunkSpace>();
  for (const std::uintptr_t address :
       {std::uintptr_t{0}, std::uintptr_t{4096}, ~std::uintptr_t{0}}) {
    EXPECT_FALSE(space->range().contains(address));
  }
}

TEST(ChunkSpace, AnAddressTellsItsClassAndRecordToTheLastByte) {
  OwnerLock::enter_process();
  const auto space = std::make_unique<ChunkSpace>();
  ASSERT_TRUE(space->open());
  const ChunkRange range = space->range();
  const ClassIndex c{7};
  int record = 0;
  // These are more than a leaf of the index has, or they go up to the end of one.
  const std::size_t count = std::min<std::size_t>(range.region_bytes() / kChunkBytes, 5000);
  space->regions().open(c, range);
  const std::uintptr_t start = space->regions()[c].take(count);
  ASSERT_TRUE(space->enter(start, count, &record));
  const std::uintptr_t end = start + count * kChunkBytes;
  for (const std::uintptr_t address : {start, start + kChunkBytes - 1, end - 1}) {
    ASSERT_TRUE(range.contains(address));
    EXPECT_EQ(range.class_number(address), 7U);
    EXPECT_EQ(space->record_at(address), &record);
  }
  EXPECT_EQ(start, range.region_start(c));
  EXPECT_EQ(range.class_number(start - 1), 6U);
  EXPECT_EQ(space->record_at(start - 1), nullptr);
  EXPECT_EQ(space->record_at(end), nullptr);
  EXPECT_FALSE(range.contains(range.start - 1));
  EXPECT_FALSE(range.contains(range.start + range.bytes));
  space->leave(start, count);
  EXPECT_EQ(space->record_at(start), nullptr);
  space->close();
}

TEST(ChunkSpace, TwoInOneProcessLieApart) {
  OwnerLock::enter_process();
  const auto one = std::make_unique<ChunkSpace>();
  const auto two = std::make_unique<ChunkSpace>();
  ASSERT_TRUE(one->open());
  ASSERT_TRUE(two->open());
  EXPECT_FALSE(one->range().contains(two->range().start));
  EXPECT_FALSE(two->range().contains(one->range().start));
  one->close();
  two->close();
}

}  // namespace
}  // namespace bufpool
