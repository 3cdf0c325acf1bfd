// SPDX-License-Identifier: MIT
#include "pool/addresses/chunk_allocator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "pool/addresses/chunk_space.h"
#include "pool/platform/memory.h"
#include "pool/platform/process.h"
#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

class ChunkAllocatorTest : public testing::Test {
 protected:
  ChunkAllocatorTest() {
    OwnerLock::enter_process();
    EXPECT_TRUE(space_->open());
    const ChunkRange& range = space_->range();
    chunks_->open(range.region_start(kFirstClass), range.region_bytes());
  }
  ~ChunkAllocatorTest() override {
    chunks_->close();
    space_->close();
  }
  std::uintptr_t take(std::size_t count) {
    const std::uintptr_t start = chunks_->take(count);
    EXPECT_NE(start, 0U);
    EXPECT_EQ(start % kChunkBytes, 0U);
    return start;
  }
  std::size_t all() const { return space_->range().region_bytes() / kChunkBytes; }

  std::unique_ptr<ChunkSpace> space_ = std::make_unique<ChunkSpace>();
  std::unique_ptr<ChunkAllocator> chunks_ = std::make_unique<ChunkAllocator>();
};

TEST_F(ChunkAllocatorTest, HandsOutAddressesAndNoMemory) {
  const std::size_t before = platform::resident_bytes();
  const std::size_t count = std::min<std::size_t>(all(), 1000);
  const std::uintptr_t start = take(count);
  EXPECT_EQ(chunks_->bytes(), count * kChunkBytes);
  EXPECT_LT(platform::resident_bytes(), before + (1 << 20));
  ASSERT_EQ(platform::map_at(reinterpret_cast<void*>(start), 2 * platform::kPageBytes),
            platform::Mapped::kYes);
  EXPECT_EQ(platform::map_at(reinterpret_cast<void*>(start), platform::kPageBytes),
            platform::Mapped::kOccupied)
      << "what is mapped stays";
  *reinterpret_cast<char*>(start) = 1;
  platform::unreserve(reinterpret_cast<void*>(start), 2 * platform::kPageBytes);
}

TEST_F(ChunkAllocatorTest, WhatIsGivenBackIsTakenAgain) {
  const std::uintptr_t first = take(4);
  const std::uintptr_t last = take(1);
  chunks_->give(first, 4);
  EXPECT_EQ(chunks_->bytes(), kChunkBytes);
  EXPECT_EQ(take(3), first);
  EXPECT_EQ(take(1), first + 3 * kChunkBytes);
  EXPECT_EQ(take(1), last + kChunkBytes);
}

TEST_F(ChunkAllocatorTest, NeighboursGrowTogether) {
  const std::uintptr_t start = take(6);
  take(1);
  for (const std::size_t i : {0, 2, 4, 5, 1, 3}) chunks_->give(start + i * kChunkBytes, 1);
  EXPECT_EQ(take(6), start);
}

TEST_F(ChunkAllocatorTest, TheSmallestThatFitsIsTaken) {
  const std::uintptr_t large = take(8);
  take(1);
  const std::uintptr_t small = take(2);
  take(1);
  chunks_->give(large, 8);
  chunks_->give(small, 2);
  EXPECT_EQ(take(2), small);
  EXPECT_EQ(take(8), large);
}

TEST_F(ChunkAllocatorTest, AllThatComesBackIsOneAgain) {
  const std::uintptr_t start = take(1);
  std::vector<std::uintptr_t> taken{start};
  for (int i = 0; i < 400; ++i) taken.push_back(take(1));
  std::shuffle(taken.begin(), taken.end(), std::mt19937(3));
  for (const std::uintptr_t chunk : taken) chunks_->give(chunk, 1);
  EXPECT_EQ(take(all()), start);
}

TEST_F(ChunkAllocatorTest, MoreThanThereIsIsRefused) {
  EXPECT_EQ(chunks_->take(~std::size_t{0} >> kChunkShift), 0U);
  EXPECT_EQ(chunks_->bytes(), 0U);
  take(1);
}

// ThreadSanitizer leaves a region too small for four walks that know no bound.
TEST_F(ChunkAllocatorTest, AnyTakesAndGivesNeverOverlap) {
  constexpr int kSteps = kThreadSanitizer ? 500 : 5000;
  constexpr std::size_t kMostHeld = kThreadSanitizer ? 10 : kSteps;
  std::mutex mutex;
  std::map<std::uintptr_t, std::size_t> out;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      std::vector<std::pair<std::uintptr_t, std::size_t>> mine;
      for (int i = 0; i < kSteps; ++i) {
        const bool takes = random() % 2 == 0 && mine.size() < kMostHeld;
        if (takes || mine.empty()) {
          const std::size_t count = 1 + random() % 9;
          const std::uintptr_t start = chunks_->take(count);
          mine.emplace_back(start, count);
          const std::lock_guard lock(mutex);
          const auto above = out.lower_bound(start);
          if (above != out.end()) {
            EXPECT_GE(above->first, start + count * kChunkBytes);
          }
          if (above != out.begin()) {
            const auto below = std::prev(above);
            EXPECT_LE(below->first + below->second * kChunkBytes, start);
          }
          out[start] = count;
        } else {
          const auto [start, count] = mine[random() % mine.size()];
          std::erase(mine, std::pair{start, count});
          {
            const std::lock_guard lock(mutex);
            out.erase(start);
          }
          chunks_->give(start, count);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace bufpool
