// SPDX-License-Identifier: MIT
#include "pool/addresses/size_classes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <vector>

namespace bufpool {
namespace {

constexpr std::size_t kLargest = kMaxSize + kHeaderRoom;

// Returns the class that serves a size when all are in use.
ClassIndex serving(std::size_t size) {
  const ClassIndex step = class_step(size);
  return step < kFirstClass ? kFirstClass : step;
}

// Returns every size up to 64 KiB, then some, and all near the end of a class.
std::vector<std::size_t> interesting_sizes() {
  std::set<std::size_t> sizes;
  for (std::size_t size = kMinSize; size <= 64 << 10; ++size) sizes.insert(size);
  for (std::size_t size = 64 << 10; size <= kLargest; size += size / 1024) sizes.insert(size);
  for_each_class([&](ClassIndex c) {
    for (std::size_t off = 0; off < 140; ++off) {
      for (const std::size_t size : {buffer_bytes(c) + 70 - off, nominal_bytes(c) + 70 - off}) {
        if (size >= kMinSize && size <= kLargest) sizes.insert(size);
      }
    }
  });
  return {sizes.begin(), sizes.end()};
}

TEST(SizeClasses, EverySizeFitsItsClassAndNotTheOneBelow) {
  for (const std::size_t size : interesting_sizes()) {
    const ClassIndex c = serving(size);
    ASSERT_LE(c, kLastClass) << size;
    ASSERT_GE(buffer_bytes(c), size);
    if (c > kFirstClass) {
      ASSERT_LT(buffer_bytes(ClassIndex{to_number(c) - 1}), size);
    }
  }
}

TEST(SizeClasses, StepsNeverGoDown) {
  ClassIndex before{0};
  for (const std::size_t size : interesting_sizes()) {
    ASSERT_GE(class_step(size), before) << size;
    before = class_step(size);
  }
  EXPECT_EQ(before, kLastClass);
}

TEST(SizeClasses, FourPerDoubling) {
  for (std::size_t base = 1024; base < kMaxSize; base *= 2) {
    const std::uint32_t c = to_number(class_step(base));
    EXPECT_EQ(nominal_bytes(ClassIndex{c}), base);
    for (std::uint32_t quarter = 1; quarter <= 4; ++quarter) {
      EXPECT_EQ(nominal_bytes(ClassIndex{c + quarter}), base + base / 4 * quarter);
    }
  }
}

TEST(SizeClasses, RoundSizesKeepTheirClassWithAHeader) {
  for (std::size_t base = 512; base <= kMaxSize; base *= 2) {
    EXPECT_EQ(serving(base), serving(base + kHeaderRoom)) << base;
    EXPECT_EQ(nominal_bytes(serving(base)), base);
    if (base < kMaxSize) {
      EXPECT_NE(serving(base), serving(base + kHeaderRoom + 1)) << base;
    }
  }
}

TEST(SizeClasses, NoBlockWastesMoreThanAFifth) {
  for (const std::size_t size : interesting_sizes()) {
    if (size <= kMinSize + kHeaderRoom) continue;
    const std::size_t nominal = nominal_bytes(serving(size));
    ASSERT_LE(nominal + kHeaderRoom - size, nominal / 5) << size;
  }
}

TEST(SizeClasses, BlocksOfASpanAreAlignedAndDoNotOverlap) {
  for_each_class([](ClassIndex c) {
    const std::size_t alignment = nominal_bytes(c) < 1024 ? 16 : 64;
    EXPECT_EQ(stride_bytes(c), gap_bytes(c) + buffer_bytes(c));
    EXPECT_EQ(stride_bytes(c) % alignment, 0U);
    EXPECT_EQ(gap_bytes(c) % alignment, 0U);
    if (has_slots(c)) {
      EXPECT_GE(span_bytes(c), stride_bytes(c) + 4096);
    } else {
      EXPECT_EQ(span_bytes(c), span_blocks(c) * stride_bytes(c));
    }
    EXPECT_GE(span_bytes(c), kSpanBytes < nominal_bytes(c) ? nominal_bytes(c) : kSpanBytes / 2);
  });
}

TEST(SizeClasses, BatchesAndCachesAreBoundedInBytes) {
  for_each_class([](ClassIndex c) {
    ASSERT_GE(batch_blocks(c), 1U);
    EXPECT_LE(batch_blocks(c), kMaxBatch);
    EXPECT_LE(batch_blocks(c) * nominal_bytes(c), std::max(kBatchBytes, nominal_bytes(c)));
    EXPECT_GE(max_cached_blocks(c), batch_blocks(c));
    EXPECT_LE(max_cached_blocks(c) * nominal_bytes(c),
              std::max(nominal_bytes(c), std::size_t{256} << 20));
  });
}

TEST(SizeClasses, ForEachVisitsAllInOrder) {
  std::uint32_t next = to_number(kFirstClass);
  for_each_class([&](ClassIndex c) { EXPECT_EQ(to_number(c), next++); });
  EXPECT_EQ(next, to_number(kLastClass) + 1);
}

}  // namespace
}  // namespace bufpool
