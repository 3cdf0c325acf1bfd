// SPDX-License-Identifier: MIT
#include "pool/blocks/block_marks.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace bufpool {
namespace {

class BlockMarksTest : public testing::Test {
 protected:
  Block block(std::size_t line = 0) {
    return Block{reinterpret_cast<std::uintptr_t>(&memory_[line * kLine])};
  }

  const BlockMarks marks_{Cookies(0x123456789abcdef0)};

 private:
  alignas(64) std::array<unsigned char, 8 * kLine> memory_{};
};

TEST_F(BlockMarksTest, ZeroIsNoMark) {
  EXPECT_EQ(marks_.state(block()), BlockState::kUnmarked);
  EXPECT_FALSE(is_in_use(BlockState::kUnmarked) || is_free(BlockState::kUnmarked));
}

TEST_F(BlockMarksTest, EachMarkIsReadBack) {
  marks_.mark_in_use(block());
  EXPECT_EQ(marks_.state(block()), BlockState::kInUse);
  EXPECT_TRUE(marks_.is_plain(block()));
  marks_.mark_borrowed(block());
  EXPECT_EQ(marks_.state(block()), BlockState::kBorrowed);
  EXPECT_FALSE(marks_.is_plain(block()));
  marks_.mark_growing(block(), GrowingSize::again(900));
  EXPECT_EQ(marks_.state(block()), BlockState::kGrowing);
  EXPECT_TRUE(marks_.is_growing(block()));
  EXPECT_EQ(growing_size(block()).most(), 900U);
  marks_.mark_free(block());
  EXPECT_EQ(marks_.state(block()), BlockState::kFree);
  marks_.mark_known_zero(block());
  EXPECT_EQ(marks_.state(block()), BlockState::kKnownZero);
}

TEST_F(BlockMarksTest, AMarkIsOfItsAddress) {
  marks_.mark_in_use(block());
  guard_line(block(1)) = guard_line(block());
  EXPECT_EQ(marks_.state(block(1)), BlockState::kUnmarked);
}

TEST_F(BlockMarksTest, WhereEachPutGoesTheLongWayNoneIsPlain) {
  const BlockMarks odd{Cookies(0x123456789abcdef0, true)};
  odd.mark_in_use(block());
  EXPECT_EQ(odd.state(block()), BlockState::kInUse);
  EXPECT_FALSE(odd.is_plain(block()));
}

TEST_F(BlockMarksTest, AnEntryLeadsToItsBlockUntilItIsNotOne) {
  const std::uintptr_t entry = to_address(block(5));
  const Block line = block_of_buffer(entry, kLine);
  EXPECT_FALSE(marks_.was_entry(block(), line));
  marks_.mark_entry(block(), entry, kLine);
  EXPECT_EQ(marks_.state(block()), BlockState::kEntered);
  EXPECT_EQ(guard_line(block()).link, entry);
  EXPECT_TRUE(marks_.was_entry(block(), line));
  EXPECT_FALSE(marks_.was_entry(block(1), line)) << "it is another block's";
  marks_.mark_free(line);
  EXPECT_TRUE(marks_.was_entry(block(), line)) << "a second free is told as one";
}

TEST_F(BlockMarksTest, StatesAreInUseOrFreeOrNeither) {
  for (const BlockState state : {BlockState::kInUse, BlockState::kGrowing, BlockState::kBorrowed}) {
    EXPECT_TRUE(is_in_use(state) && is_whole_buffer(state) && !is_free(state));
  }
  EXPECT_TRUE(is_in_use(BlockState::kEntered) && !is_whole_buffer(BlockState::kEntered));
  for (const BlockState state : {BlockState::kFree, BlockState::kKnownZero}) {
    EXPECT_TRUE(is_free(state) && !is_in_use(state) && !is_whole_buffer(state));
  }
}

}  // namespace
}  // namespace bufpool
