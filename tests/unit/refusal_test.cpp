// SPDX-License-Identifier: MIT
// Tests that what the kernel refuses is not asked for again at once. mmap is the test's own here.
// It counts what is asked, and refuses what it is told to.
#include "pool/sync/refusal.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "tests/unit/class_spans.h"

namespace {

constexpr std::size_t kNone = SIZE_MAX / 2;

std::atomic<std::size_t> refused_from{kNone};  // bytes at a chosen address
std::atomic<int> refusals{0};

}  // namespace

// ThreadSanitizer maps memory before it is ready for functions that it watches.
extern "C" [[gnu::no_sanitize("thread")]] void* mmap(void* start, std::size_t bytes, int protection,
                                                     int flags, int file, off_t offset) noexcept {
  if ((flags & MAP_FIXED_NOREPLACE) != 0 && bytes >= refused_from) {
    ++refusals;
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return reinterpret_cast<void*>(syscall(SYS_mmap, start, bytes, protection, flags, file, offset));
}

namespace bufpool {
namespace {

constexpr ClassIndex kClass = class_step(60000);

// A commit tries twice: it asks for what is wanted ahead, and then for the least.
constexpr std::uint64_t kTries = 2;

std::uint64_t most_refusals_since(std::uint64_t start_ms) {
  const std::uint64_t passed = platform::coarse_milliseconds() - start_ms;
  return kTries * (1 + passed / (policy::kRefusalMs / 2));
}

void wait_until_forgotten(const Refusal& refusal) {
  while (refusal.stands()) usleep(10'000);
}

class RefusalTest : public testing::Test {
 protected:
  void SetUp() override {
    refused_from = kNone;
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
  EXPECT_TRUE(stood || platform::coarse_milliseconds() - start >= policy::kRefusalMs - 1);
  wait_until_forgotten(refusal);
  EXPECT_GE(platform::coarse_milliseconds() - start, policy::kRefusalMs - 2);
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
