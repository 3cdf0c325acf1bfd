// SPDX-License-Identifier: MIT
// Tests blocks of which only a part has pages.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "pool/platform/memory.h"
#include "pool/spans/wide_blocks.h"
#include "tests/unit/class_spans.h"

namespace bufpool {
namespace {

TEST(SpanWide, PagesThatWereMovedAwayAreNotIdle) {
  constexpr std::size_t kMiB = 1 << 20;
  ClassSpans wide(class_step(16 * kMiB));
  WideBlocks blocks(wide.spans.state());
  Block block = 0;
  ASSERT_EQ(blocks.take(block, {.used = kMiB, .offset = 64}).count, 1U);
  const std::uintptr_t first = platform::page_above(block + 100);
  blocks.give_emptied(block, 10 * kMiB, first, first + 6 * kMiB);
  const std::uint64_t idle = wide.spans.counters().idle_bytes;
  EXPECT_GE(idle, 4 * kMiB);
  EXPECT_LE(idle, 4 * kMiB + 4 * platform::kPageBytes);
}

}  // namespace
}  // namespace bufpool
