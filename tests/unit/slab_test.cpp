// SPDX-License-Identifier: MIT
#include "pool/slabs/slab.h"

#include <gtest/gtest.h>

#include <memory>

#include "pool/percpu/cpu_cache.h"

namespace bufpool {
namespace {

std::size_t first_block(ClassIndex c) {
  return kSlabLayout.stack[to_number(c)] + bottom_of(c) * sizeof(Block);
}

// There is a word of no stack below each, which is 0 for good.
TEST(Slab, StacksDoNotOverlap) {
  std::size_t end = kStacksAt;
  for_each_class([&](ClassIndex c) {
    EXPECT_GE(first_block(c), end + sizeof(Block)) << to_number(c);
    end = first_block(c) + max_cached_blocks(c) * sizeof(Block);
  });
  EXPECT_LE(end, kSlabLayout.bytes);
}

TEST(Slab, RecordsShareAPageWithNothingElse) {
  for_each_class([](ClassIndex c) {
    EXPECT_GE(kSlabLayout.stack[to_number(c)], kStatsStacksAt);
    EXPECT_LE(kSlabLayout.stack[to_number(c)] + sizeof(Stack), kNotesAt);
  });
}

// Two classes' headers on one cache line would do no harm, but a header on two lines would.
TEST(Slab, EveryStackBeginsACacheLine) {
  for_each_class([](ClassIndex c) {
    EXPECT_EQ(first_block(c) % 64, 0U);
    EXPECT_EQ(kSlabLayout.stack[to_number(c)] % sizeof(Stack), 0U);
  });
}

TEST(Slab, HeaderHoldsHitsAndDepth) {
  constexpr std::uint64_t kHeader = 5 * kOneHit + bottom_of(kFirstClass) + 7;
  const auto depth = [](std::uint64_t header) { return depth_of(header, kFirstClass); };
  EXPECT_EQ(hits_of(kHeader), 5U);
  EXPECT_EQ(depth(kHeader), 7U);
  EXPECT_EQ(hits_of(kHeader + kOneHit - 1), 6U) << "a hit takes a block and counts it";
  EXPECT_EQ(depth(kHeader + kOneHit - 1), 6U);
  EXPECT_EQ(hits_of(kHeader - 1), 5U) << "a move takes a block and counts nothing";
  EXPECT_EQ(depth(kHeader - 1), 6U);
}

TEST(Slab, HeaderHasRoomForEveryTop) {
  for_each_class(
      [](ClassIndex c) { EXPECT_LT(bottom_of(c) + max_cached_blocks(c), kStatsTopMask); });
}

TEST(Slab, AllZeroIsEmptyAndFull) {
  const auto address = reinterpret_cast<std::uintptr_t>(empty_slab);
  EXPECT_EQ(head_of(address).granted_bytes, 0U);
  for_each_class([address](ClassIndex c) {
    EXPECT_EQ(top_of(stack_of(address, c).header), 0U);
    EXPECT_EQ(reinterpret_cast<const Block*>(&stack_of(address, c))[-1], kNoBlock);
    EXPECT_EQ(stack_of(address, c).limit, 0U);
    EXPECT_EQ(notes_of(address, c).last, StackEvent::kNone);
  });
}

TEST(Slab, AnOpenSlabIsEmptyAndFull) {
  const auto bytes = std::make_unique<char[]>(kSlabLayout.bytes);
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.get());
  open_slab(address);
  for_each_class([address](ClassIndex c) {
    EXPECT_EQ(depth_of(stack_of(address, c).header, c), 0U);
    EXPECT_EQ(limit_of(stack_of(address, c), c), 0U);
    EXPECT_EQ(pop_owned(stack_of(address, c)), kNoBlock);
    EXPECT_EQ(blocks_of(stack_of(address, c), c)[-1], kNoBlock);
  });
}

}  // namespace
}  // namespace bufpool
