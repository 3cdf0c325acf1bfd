// SPDX-License-Identifier: MIT
#include "pool/large_buffers.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <vector>

#include "pool/platform.h"
#include "tests/unit/test_pool.h"

namespace bufpool {
namespace {

constexpr std::size_t kRegion = std::size_t{4} << 30;  // slots of 64 MiB
constexpr std::size_t kBytes = 8 << 20;

// A region, and committed memory that blocks are taken from.
class LargeBuffersTest : public testing::Test {
 protected:
  void SetUp() override {
    region_ = reinterpret_cast<std::uintptr_t>(platform::reserve(kRegion));
    blocks_ = reinterpret_cast<std::uintptr_t>(platform::map(2 * kBytes));
    ASSERT_TRUE(region_ != 0 && blocks_ != 0);
    large_.open({region_, kRegion});
  }
  void TearDown() override {
    platform::unreserve(reinterpret_cast<void*>(region_), kRegion);
    platform::unreserve(reinterpret_cast<void*>(blocks_), 2 * kBytes);
  }

  Block filled_block(std::size_t offset) {
    const Block block = blocks_ + offset;
    std::memset(reinterpret_cast<void*>(blocks_), 0xee, 2 * kBytes);
    for (std::size_t at = 0; at < kBytes; at += 8) *word(block + at) = at * 31 + offset;
    return block;
  }
  static std::uint64_t* word(std::uintptr_t address) {
    return reinterpret_cast<std::uint64_t*>(address);
  }
  static bool holds(Block block, std::size_t offset) {
    for (std::size_t at = 0; at < kBytes; at += 8) {
      if (*word(block + at) != at * 31 + offset) return false;
    }
    return true;
  }
  bool neighbours_unharmed(Block block) const {
    for (std::uintptr_t at = blocks_; at < block; ++at) {
      if (*reinterpret_cast<unsigned char*>(at) != 0xee) return false;
    }
    for (std::uintptr_t at = block + kBytes; at < blocks_ + 2 * kBytes; ++at) {
      if (*reinterpret_cast<unsigned char*>(at) != 0xee) return false;
    }
    return true;
  }

  LargeBuffers large_;
  std::uintptr_t region_ = 0;
  std::uintptr_t blocks_ = 0;
};

TEST_F(LargeBuffersTest, ContentsMoveAndNeighboursStay) {
  for (const std::size_t offset : {0, 64, 4032, 4096, 70080}) {
    const Block from = filled_block(offset);
    const std::uint64_t guard = *word(from);
    const Block to = large_.adopt(from, kBytes, 3 * kBytes);
    ASSERT_NE(to, 0U);
    EXPECT_TRUE(holds(to, offset)) << offset;
    EXPECT_TRUE(neighbours_unharmed(from)) << offset;
    EXPECT_EQ(*word(from), guard) << "the guard line stays";
    EXPECT_EQ(to % platform::kPageBytes, from % platform::kPageBytes);
    large_.release(to);
  }
  EXPECT_EQ(large_.in_use(), 0U);
}

TEST_F(LargeBuffersTest, ExtendsInPlaceUpToItsSlot) {
  const Block to = large_.adopt(filled_block(64), kBytes, kBytes);
  ASSERT_NE(to, 0U);
  ASSERT_TRUE(large_.extend(to, 5 * kBytes));
  *word(to + LargeBuffers::kGap + 5 * kBytes - 8) = 7;
  EXPECT_TRUE(holds(to, 64));
  EXPECT_FALSE(large_.extend(to, kRegion / LargeBuffers::kSlots));
  EXPECT_TRUE(holds(to, 64));
}

TEST_F(LargeBuffersTest, ThereAreSoManySlotsAndEachComesBack) {
  std::vector<Block> taken;
  for (std::uint32_t i = 0; i < LargeBuffers::kSlots; ++i) {
    taken.push_back(large_.adopt(filled_block(64), kBytes, kBytes));
    ASSERT_NE(taken.back(), 0U) << i;
  }
  const Block from = filled_block(128);
  EXPECT_EQ(large_.adopt(from, kBytes, kBytes), 0U);
  EXPECT_TRUE(holds(from, 128)) << "nothing happened";
  large_.release(taken[20]);
  EXPECT_EQ(large_.adopt(from, kBytes, kBytes), taken[20] - 64 + 128);
}

TEST_F(LargeBuffersTest, WhatIsReleasedReadsAsZeroAndIsRemembered) {
  EXPECT_EQ(large_.block_around(region_ + 100), 0U) << "never used";
  const Block to = large_.adopt(filled_block(64), kBytes, 2 * kBytes);
  ASSERT_NE(to, 0U);
  EXPECT_EQ(large_.block_around(to + kBytes), to);
  EXPECT_TRUE(large_.is_in_use(to));
  large_.release(to);
  EXPECT_EQ(large_.block_around(to + kBytes), to);
  EXPECT_FALSE(large_.is_in_use(to));
  for (const std::size_t at : {std::size_t{0}, kBytes / 2 & ~7, kBytes}) {
    EXPECT_EQ(*word(to + at), 0U);
  }
}

// The kernel moves no pages that lie in two mappings, however often it is asked.
TEST_F(LargeBuffersTest, PagesThatDoNotMoveStayAsTheyAre) {
  const Block from = filled_block(64);
  auto* const middle = reinterpret_cast<void*>(platform::page_below(blocks_ + kBytes / 2));
  ASSERT_EQ(mprotect(middle, platform::kPageBytes, PROT_READ), 0);
  for (std::uint32_t i = 0; i < LargeBuffers::kSlots + 2; ++i) {
    ASSERT_EQ(large_.adopt(from, kBytes, 2 * kBytes), 0U) << i;
  }
  EXPECT_TRUE(holds(from, 64));
  EXPECT_TRUE(neighbours_unharmed(from));
  ASSERT_EQ(mprotect(middle, platform::kPageBytes, PROT_READ | PROT_WRITE), 0);
}

TEST_F(LargeBuffersTest, NoSizeIsTooLargeToBeRefused) {
  const Block from = filled_block(64);
  const Block to = large_.adopt(from, kBytes, 2 * kBytes);
  ASSERT_NE(to, 0U);
  for (const std::size_t size : {~std::size_t{0}, ~std::size_t{0} - LargeBuffers::kGap,
                                 ~std::size_t{0} - 4095, ~std::size_t{0} / 2 + 1}) {
    EXPECT_FALSE(large_.extend(to, size));
    EXPECT_EQ(large_.adopt(from, kBytes, size), 0U);
  }
  EXPECT_TRUE(holds(to, 64));
}

TEST_F(LargeBuffersTest, WhatIsLargerThanASlotIsNotTaken) {
  const Block from = filled_block(64);
  EXPECT_EQ(large_.adopt(from, kBytes, kRegion / LargeBuffers::kSlots), 0U);
  EXPECT_TRUE(holds(from, 64));
  EXPECT_EQ(large_.in_use(), 0U);
}

TEST(LargeBuffers, ThePoolGrowsABufferPastItsLargestClassAndBack) {
  static BufferPool pool;
  ASSERT_TRUE(pool.open(default_options()));
  std::size_t size = 10 << 20;
  auto* buffer = static_cast<std::uint64_t*>(pool.take(size));
  for (std::size_t i = 0; i < size / 8; ++i) buffer[i] = i;
  const std::size_t filled = size / 8;
  for (size += size / 2; size < std::size_t{200} << 20; size += size / 2) {
    buffer = static_cast<std::uint64_t*>(pool.resize(buffer, size));
    ASSERT_NE(buffer, nullptr) << size;
    ASSERT_TRUE(pool.owns(buffer));
    ASSERT_GE(pool.usable_size(buffer), size);
    buffer[size / 8 - 1] = 1;
  }
  buffer = static_cast<std::uint64_t*>(pool.resize(buffer, filled * 8));
  ASSERT_NE(buffer, nullptr);
  for (std::size_t i = 0; i < filled; ++i) ASSERT_EQ(buffer[i], i);
  pool.put(buffer);
}

}  // namespace
}  // namespace bufpool
