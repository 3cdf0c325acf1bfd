// SPDX-License-Identifier: MIT
// What the kernel refuses is not asked for again at once. mprotect is the test's own here: it
// counts what is asked, and refuses what it is told to.
#include "pool/refusal.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "pool/large_buffers.h"
#include "tests/unit/class_spans.h"

namespace {

constexpr std::size_t kNone = SIZE_MAX / 2;

std::atomic<std::size_t> refused_from{kNone};  // bytes more than any call was granted
std::atomic<std::size_t> granted{0};
std::atomic<int> refusals{0};

}  // namespace

extern "C" int mprotect(void* start, std::size_t bytes, int protection) noexcept {
  if (bytes >= granted + refused_from) {
    ++refusals;
    errno = ENOMEM;
    return -1;
  }
  if (bytes > granted) granted = bytes;
  return static_cast<int>(syscall(SYS_mprotect, start, bytes, protection));
}

namespace bufpool {
namespace {

constexpr ClassIndex kClass = class_step(60000);

// Both tries of a commit: what is wanted ahead, and the least.
constexpr std::uint64_t kTries = 2;

std::uint64_t most_refusals_since(std::uint64_t start_ms) {
  const std::uint64_t passed = platform::coarse_milliseconds() - start_ms;
  return kTries * (1 + passed / (Refusal::kMs / 2));
}

void wait_until_forgotten(const Refusal& refusal) {
  while (refusal.stands()) usleep(10'000);
}

class RefusalTest : public testing::Test {
 protected:
  void SetUp() override {
    refused_from = kNone;
    granted = 0;
    refusals = 0;
  }
  void TearDown() override { refused_from = kNone; }
};

TEST_F(RefusalTest, StandsForAWhileOnly) {
  Refusal refusal;
  EXPECT_FALSE(refusal.stands());
  const std::uint64_t start = platform::coarse_milliseconds();
  refusal.note();
  const bool stood = refusal.stands();
  EXPECT_TRUE(stood || platform::coarse_milliseconds() - start >= Refusal::kMs - 1);
  wait_until_forgotten(refusal);
  EXPECT_GE(platform::coarse_milliseconds() - start, Refusal::kMs - 2);
}

TEST_F(RefusalTest, ACommitIsNotAskedForAgainAtOnce) {
  ClassSpans fixture(kClass);
  refused_from = 1;
  const std::uint64_t start = platform::coarse_milliseconds();
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(fixture.take(1).empty());
  EXPECT_GE(refusals, 1);
  EXPECT_LE(static_cast<std::uint64_t>(refusals), most_refusals_since(start));
}

TEST_F(RefusalTest, WhatIsThereIsServedMeanwhile) {
  ClassSpans fixture(kClass);
  const std::vector<Block> blocks = fixture.take(3);
  refused_from = 1;
  while (!fixture.take(1).empty()) {
  }
  for (int i = 0; i < 100; ++i) {
    fixture.put(blocks[0]);
    EXPECT_EQ(fixture.take(1).size(), 1U);
  }
}

TEST_F(RefusalTest, TheNextSpanIsHadWhereMoreIsRefused) {
  ClassSpans fixture(kClass);
  refused_from = 200'000;
  EXPECT_EQ(fixture.take(20).size(), 20U);
  EXPECT_GE(refusals, 1);
}

TEST_F(RefusalTest, ALargeBufferGrowsAsAskedWhereMoreIsRefused) {
  constexpr std::size_t kMiB = 1 << 20;
  OwnRegion memory(std::size_t{5} << 30);
  const std::uintptr_t from = memory.part(0, 0).start;
  ASSERT_TRUE(platform::commit(reinterpret_cast<void*>(from), 8 * kMiB));
  LargeBuffers large;
  large.open(memory.part(std::size_t{1} << 30, std::size_t{4} << 30));
  const Block block = large.adopt(from, 8 * kMiB, 8 * kMiB);
  ASSERT_NE(block, 0U);
  granted = 0;
  refused_from = 2 * kMiB;
  EXPECT_TRUE(large.extend(block, 11 * kMiB));
  EXPECT_EQ(refusals, 1);
  EXPECT_FALSE(large.extend(block, 20 * kMiB));
  EXPECT_EQ(refusals, 3);
}

TEST_F(RefusalTest, TheSpansGrowAgainOnceTheyMay) {
  ClassSpans fixture(kClass);
  refused_from = 1;
  EXPECT_TRUE(fixture.take(1).empty());
  refused_from = kNone;
  const std::uint64_t start = platform::coarse_milliseconds();
  while (fixture.take(1).empty() && platform::coarse_milliseconds() - start < 20'000) {
    usleep(10'000);
  }
  EXPECT_EQ(fixture.take(5).size(), 5U);
}

}  // namespace
}  // namespace bufpool
