// SPDX-License-Identifier: MIT
// Tests the promises of backing.h, for any allocator that stands behind it.
#include "pool/backing/backing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "tests/unit/in_child.h"

namespace bufpool::backing {
namespace {

bool is_aligned(const void* pointer, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(pointer) % alignment == 0;
}

// Returns sizes of interest: all small ones, and those around powers of two.
std::vector<std::size_t> sizes() {
  std::vector<std::size_t> list;
  for (std::size_t size = 0; size <= 64; ++size) list.push_back(size);
  for (std::size_t power = 64; power <= (4 << 20); power *= 2) {
    for (const std::size_t size : {power - 1, power, power + 1, power + power / 2}) {
      list.push_back(size);
    }
  }
  return list;
}

// Holds allocated buffers of one size, so that more than the first block of a page is seen.
template <typename Allocate>
void expect_blocks(std::size_t size, std::size_t alignment, Allocate allocate) {
  std::vector<void*> blocks(size < 5000 ? 20 : 3);
  for (void*& block : blocks) {
    block = allocate();
    ASSERT_NE(block, nullptr) << size << " at " << alignment;
    ASSERT_TRUE(is_aligned(block, alignment)) << size << " at " << alignment;
    ASSERT_GE(usable_size(block), size);
    std::memset(block, 0xa5, size);
  }
  for (void* block : blocks) release(block);
}

TEST(Backing, EverySizeIsAlignedTo16) {
  for (const std::size_t size : sizes()) {
    expect_blocks(size, 16, [size] { return allocate(size); });
    expect_blocks(size, 16, [size] { return allocate_zeroed(size); });
  }
}

TEST(Backing, EveryAlignmentIsKeptForEverySize) {
  for (std::size_t alignment = 1; alignment <= (1 << 20); alignment *= 2) {
    for (const std::size_t size : sizes()) {
      if (size > 8192 && alignment > 8192) continue;
      const std::size_t least = alignment < 16 ? 16 : alignment;
      expect_blocks(size, least, [=] { return allocate_aligned(alignment, size); });
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Backing, LargeAlignmentsOfLargeSizes) {
  for (const std::size_t alignment : {4096, 65536, 1 << 20, 2 << 20}) {
    for (const std::size_t size : {100'000, 1 << 20, 5'000'000, 20 << 20}) {
      expect_blocks(size, alignment, [=] { return allocate_aligned(alignment, size); });
    }
  }
}

TEST(Backing, ZeroedIsZeroAfterDirtyFrees) {
  for (const std::size_t size : {1, 15, 16, 100, 1000, 70000, 3 << 20}) {
    for (int i = 0; i < 50; ++i) {
      void* const dirty = allocate(size);
      std::memset(dirty, 0xff, size);
      release(dirty);
      auto* const block = static_cast<unsigned char*>(allocate_zeroed(size));
      for (std::size_t at = 0; at < size; at += 1 + size / 100) ASSERT_EQ(block[at], 0) << size;
      ASSERT_EQ(block[size - 1], 0);
      release(block);
    }
  }
}

TEST(Backing, ResizeKeepsContentsAndAlignment) {
  std::mt19937 random(5);
  for (int i = 0; i < 300; ++i) {
    std::size_t size = 1 + random() % 3000;
    auto* block = static_cast<unsigned char*>(allocate(size));
    for (std::size_t at = 0; at < size; ++at) block[at] = static_cast<unsigned char>(at * 7);
    for (int step = 0; step < 5; ++step) {
      const std::size_t next = 1 + random() % (step == 4 ? 300'000 : 6000);
      block = static_cast<unsigned char*>(resize(block, next));
      ASSERT_TRUE(is_aligned(block, 16));
      ASSERT_GE(usable_size(block), next);
      size = std::min(size, next);
      for (std::size_t at = 0; at < size; ++at) {
        ASSERT_EQ(block[at], static_cast<unsigned char>(at * 7));
      }
    }
    release(block);
  }
}

TEST(Backing, BlocksBeginWhereInAPageTheyAreWanted) {
  constexpr std::size_t kPage = 4096;
  for (const std::size_t size : {kLeastMappedAlone, std::size_t{70} << 20, std::size_t{5} << 30}) {
    for (std::size_t in_page = 0; in_page < kPage; in_page += 16 * 15) {
      auto* const block = static_cast<char*>(allocate_in_page(size, in_page));
      ASSERT_NE(block, nullptr);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % kPage, in_page);
      ASSERT_GE(usable_size(block), size);
      block[0] = block[usable_size(block) - 1] = 1;
      release(block);
    }
  }
  EXPECT_EQ(allocate_in_page(std::size_t{PTRDIFF_MAX}, 64), nullptr);
}

TEST(Backing, ResizeOfLargeBlocksKeepsContentsInEveryDirection) {
  constexpr std::size_t kMiB = 1 << 20;
  auto* block = static_cast<unsigned char*>(allocate_aligned(16, 40 * kMiB));
  std::size_t size = 40 * kMiB;
  for (const std::size_t next : {41UL, 90UL, 100UL, 130UL, 60UL, 400UL, 35UL, 10UL, 50UL, 200UL}) {
    for (std::size_t at = 0; at < size; at += 4000) block[at] = static_cast<unsigned char>(at * 7);
    block = static_cast<unsigned char*>(resize(block, next * kMiB));
    ASSERT_NE(block, nullptr);
    ASSERT_GE(usable_size(block), next * kMiB);
    for (std::size_t at = 0; at < std::min(size, next * kMiB); at += 4000) {
      ASSERT_EQ(block[at], static_cast<unsigned char>(at * 7)) << next;
    }
    size = next * kMiB;
  }
  release(block);
}

TEST(Backing, ResizeToUnder16StaysAligned) {
  for (std::size_t size = 1; size < 16; ++size) {
    void* block = resize(allocate(5000), size);
    EXPECT_TRUE(is_aligned(block, 16));
    release(block);
    block = resize(allocate(1), size);
    EXPECT_TRUE(is_aligned(block, 16));
    release(block);
  }
}

TEST(Backing, ReleaseTakesNull) { release(nullptr); }

TEST(Backing, WhatNoMachineHasIsNull) {
  for (const std::size_t size :
       {std::size_t{PTRDIFF_MAX}, std::size_t{PTRDIFF_MAX} - 4096, std::size_t{PTRDIFF_MAX} / 2}) {
    EXPECT_EQ(allocate(size), nullptr);
    EXPECT_EQ(allocate_zeroed(size), nullptr);
    EXPECT_EQ(allocate_aligned(4096, size), nullptr);
    EXPECT_EQ(allocate_aligned(32, size), nullptr);
  }
  EXPECT_EQ(allocate_aligned(std::size_t{1} << 62, 4096), nullptr);
  EXPECT_EQ(allocate_aligned(std::size_t{1} << 63, 4096), nullptr);
}

TEST(Backing, AResizeThatFailsLeavesTheBlock) {
  auto* const block = static_cast<unsigned char*>(allocate(100));
  std::memset(block, 0x42, 100);
  EXPECT_EQ(resize(block, std::size_t{PTRDIFF_MAX} / 2), nullptr);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(block[i], 0x42);
  release(block);
}

// Returns errno after a request that failed. The interposed malloc hands it on.
int errno_at_failure() {
  leave_address_space(256 << 20);
  errno = 0;
  if (allocate(std::size_t{1} << 30) != nullptr || errno != ENOMEM) return 1;
  errno = 0;
  std::size_t held = 0;
  while (allocate(100'000) != nullptr && held < 20'000) ++held;
  if (held == 20'000 || errno != ENOMEM) return 2;
  errno = 0;
  held = 0;
  while (allocate(400) != nullptr && held < 5'000'000) ++held;
  return held < 5'000'000 && errno == ENOMEM ? 0 : 3;
}

TEST(Backing, APlainRequestThatFailsSetsEnomem) {
  if (kLimitsMeanNothing) GTEST_SKIP() << "no limits under this sanitizer";
  EXPECT_EQ(in_child(errno_at_failure), 0);
}

TEST(Backing, CollectKeepsWhatIsInUse) {
  auto* const block = static_cast<unsigned char*>(allocate(100'000));
  std::memset(block, 0x42, 100'000);
  release(allocate(200'000));
  collect();
  for (std::size_t i = 0; i < 100'000; ++i) ASSERT_EQ(block[i], 0x42);
  EXPECT_GE(committed_bytes(), 100'000U);
  release(block);
}

}  // namespace
}  // namespace bufpool::backing
