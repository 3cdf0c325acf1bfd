// SPDX-License-Identifier: MIT
#include "pool/percpu/slab.h"

#include <gtest/gtest.h>

#include <memory>

#include "pool/percpu/cpu_cache.h"

namespace bufpool {
namespace {

std::size_t stack_end(ClassIndex c) {
  return kSlabLayout.stack[to_number(c)] + sizeof(Stack) + max_cached_blocks(c) * sizeof(Block);
}

TEST(Slab, StacksDoNotOverlap) {
  std::size_t end = sizeof(SlabHead);
  for_each_class([&](ClassIndex c) {
    EXPECT_GE(kSlabLayout.stack[to_number(c)], end) << to_number(c);
    end = stack_end(c);
  });
  EXPECT_LE(end, kSlabLayout.bytes);
}

// Two classes' headers on one cache line would do no harm, but a header on two lines would.
TEST(Slab, EveryStackBeginsACacheLine) {
  for_each_class([](ClassIndex c) { EXPECT_EQ(kSlabLayout.stack[to_number(c)] % 64, 0U); });
}

TEST(Slab, HeaderHoldsHitsAndDepth) {
  constexpr std::uint64_t kHeader = 5 * kOneHit + 7;
  EXPECT_EQ(hits_of(kHeader), 5U);
  EXPECT_EQ(depth_of(kHeader), 7U);
  EXPECT_EQ(hits_of(kHeader + kOneHit - 1), 6U) << "a hit takes a block and counts it";
  EXPECT_EQ(depth_of(kHeader + kOneHit - 1), 6U);
  EXPECT_EQ(hits_of(kHeader - 1), 5U) << "a move takes a block and counts nothing";
  EXPECT_EQ(depth_of(kHeader - 1), 6U);
}

TEST(Slab, DepthHasRoomForEveryClass) {
  for_each_class([](ClassIndex c) { EXPECT_LT(max_cached_blocks(c), kDepthMask); });
}

TEST(Slab, AllZeroIsEmptyAndFull) {
  const auto address = reinterpret_cast<std::uintptr_t>(empty_slab);
  EXPECT_EQ(head_of(address).granted_bytes, 0U);
  for_each_class([address](ClassIndex c) {
    EXPECT_EQ(depth_of(stack_of(address, c).header), 0U);
    EXPECT_EQ(stack_of(address, c).limit, 0U);
    EXPECT_EQ(stack_of(address, c).last, StackEvent::kNone);
  });
}

}  // namespace
}  // namespace bufpool
