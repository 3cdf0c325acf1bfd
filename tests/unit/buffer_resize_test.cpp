// SPDX-License-Identifier: MIT
// Tests the pool's part of realloc.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <random>
#include <thread>
#include <vector>

#include "pool/options/policy.h"
#include "tests/unit/test_pool.h"

namespace bufpool {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kMost = kMaxSize + kHeaderRoom;
constexpr std::size_t kMuch = 24 * kMiB;

// Returns the word for a place in a buffer. It is different at every place.
std::uint64_t word(std::size_t at, std::uint64_t seed) {
  return (at + 1) * 0x9e3779b97f4a7c15 + seed;
}
void write(void* pointer, std::size_t from, std::size_t to, std::uint64_t seed) {
  auto* const words = static_cast<std::uint64_t*>(pointer);
  for (std::size_t i = from / 8; i < to / 8; ++i) words[i] = word(i, seed);
}
bool holds_words(const void* pointer, std::size_t bytes, std::uint64_t seed) {
  const auto* const words = static_cast<const std::uint64_t*>(pointer);
  for (std::size_t i = 0; i < bytes / 8; ++i) {
    if (words[i] != word(i, seed)) return false;
  }
  return true;
}

std::uint64_t in_use(BufferPool& pool) { return pool.figures().totals().in_use_bytes; }

class BufferResizeTest : public InEachMode {
 protected:
  // Grows a buffer by half until it has `last` bytes at most, and checks all on the way. Returns
  // it, and counts its moves.
  void* grown(std::size_t first, std::size_t last, int& moves) {
    void* buffer = pool().take(first);
    write(buffer, 0, first, 1);
    moves = 0;
    for (std::size_t size = first, next = size; size <= last; size = next) {
      next = size + size / 2;
      if (next > last) break;
      void* const resized = pool().resize(buffer, next);
      if (resized == nullptr || !holds_words(resized, size, 1)) {
        ADD_FAILURE() << "lost at " << next;
        return resized;
      }
      moves += resized != buffer;
      buffer = resized;
      expect_room(buffer, next);
      write(buffer, size / 8 * 8, next, 1);
    }
    return buffer;
  }

  void expect_room(void* buffer, std::size_t size) {
    const std::size_t room = pool().usable_size(buffer);
    EXPECT_GE(room, size);
    EXPECT_LE(room, 2 * buffer_bytes(class_step(size)) + size / 4);
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, BufferResizeTest, kBothModes, mode_name);

TEST_P(BufferResizeTest, GrowingKeepsContentsAllTheWay) {
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t before = in_use(pool());
    int moves = 0;
    pool().put(grown(600, kMuch, moves));
    EXPECT_EQ(in_use(pool()), before);
  }
}

TEST_P(BufferResizeTest, WhatKeepsGrowingMovesAFewTimesOnly) {
  int moves = 0;
  for (int round = 0; round < 20; ++round) pool().put(grown(600, kMuch, moves));
  EXPECT_LE(moves, 3) << "of 25 steps";
}

TEST_P(BufferResizeTest, WhatGrowsOnceIsNoWider) {
  BufferPool& own = open_pool(options_in(GetParam()));
  for (int i = 0; i < 100; ++i) {
    void* const buffer = own.resize(own.take(1000), 5000);
    ASSERT_NE(buffer, nullptr);
    const auto before = own.figures().totals().in_use_bytes;
    EXPECT_LE(before, stride_bytes(class_step(5000)));
    own.put(buffer);
  }
}

TEST_P(BufferResizeTest, WhatFitsStaysWhereItIs) {
  void* const buffer = pool().take(5000);
  const std::size_t room = pool().usable_size(buffer);
  for (const std::size_t size : {room, room - 1, std::size_t{4000}, room / 2}) {
    EXPECT_EQ(pool().resize(buffer, size), buffer) << size;
  }
  pool().put(buffer);
}

TEST_P(BufferResizeTest, ShrinkingMuchMovesToASmallerOne) {
  for (const bool growing : {false, true}) {
    int moves = 0;
    void* buffer = growing ? grown(600, kMiB, moves) : pool().take(kMiB);
    write(buffer, 0, 3000, 1);
    buffer = pool().resize(buffer, 3000);
    ASSERT_NE(buffer, nullptr);
    EXPECT_TRUE(holds_words(buffer, 3000, 1));
    expect_room(buffer, 3000);
    pool().put(buffer);
  }
}

TEST_P(BufferResizeTest, WhatManyShrunkBuffersKeepIsBounded) {
  constexpr std::size_t kGrown = 64'000;
  constexpr std::size_t kShrunk = 17'000;  // more than a quarter, less than half
  constexpr std::size_t kBuffers = 400;
  Options options = options_in(GetParam());
  options.retain_max = {.bytes = policy::kLentFreely};
  BufferPool& own = open_pool(options);
  std::vector<void*> buffers;
  std::size_t room = 0;
  for (std::size_t i = 0; i < kBuffers; ++i) {
    void* buffer = own.take(8000);
    for (const std::size_t size : {std::size_t{30'000}, kGrown, kShrunk}) {
      buffer = own.resize(buffer, size);
      ASSERT_NE(buffer, nullptr);
    }
    buffers.push_back(buffer);
    room += own.usable_size(buffer);
  }
  EXPECT_LE(room, 2 * kShrunk * kBuffers + policy::kLentFreely);
  for (void* buffer : buffers) own.put(buffer);
}

TEST_P(BufferResizeTest, GrowingAndShrinkingInTurnsKeepsContents) {
  std::mt19937 random(7);
  void* buffer = pool().take(1000);
  std::size_t kept = 1000;
  write(buffer, 0, kept, 1);
  for (int i = 0; i < 300; ++i) {
    const std::size_t size = (std::size_t{600} << random() % 11) + random() % 600;
    void* const resized = pool().resize(buffer, size);
    ASSERT_NE(resized, nullptr);
    ASSERT_TRUE(holds_words(resized, std::min(kept, size), 1)) << kept << " to " << size;
    ASSERT_GE(pool().usable_size(resized), size);
    buffer = resized;
    write(buffer, 0, kept = size, 1);
  }
  pool().put(buffer);
}

TEST_P(BufferResizeTest, WhatIsNotThePoolsIsLeftToTheCaller) {
  for (const bool growing : {false, true}) {
    int moves = 0;
    void* const buffer = growing ? grown(600, kMiB, moves) : pool().take(600);
    write(buffer, 0, 600, 1);
    for (const std::size_t size : {std::size_t{1}, kMinSize / 4, kMost + 1, 4 * kMost}) {
      EXPECT_EQ(pool().resize(buffer, size), nullptr) << size;
      EXPECT_TRUE(holds_words(buffer, 600, 1));
    }
    pool().put(buffer);
  }
}

TEST_P(BufferResizeTest, AnAlignedBufferGrowsToo) {
  for (const std::size_t alignment : {32UL, 64UL, 512UL, 4096UL}) {
    void* buffer = pool().take_aligned(alignment, 3000);
    write(buffer, 0, 3000, 1);
    for (std::size_t size = 3000, next = 0; size < kMiB; size = next) {
      next = size * 2;
      buffer = pool().resize(buffer, next);
      ASSERT_NE(buffer, nullptr);
      ASSERT_TRUE(holds_words(buffer, size, 1)) << next;
      write(buffer, size, next, 1);
    }
    pool().put(buffer);
  }
}

TEST_P(BufferResizeTest, LargeBuffersCrossTheBorderInBothDirections) {
  for (const std::size_t alignment : {16UL, 4096UL, 2 * kMiB}) {
    const std::uint64_t before = in_use(pool());
    void* buffer = pool().take_aligned(alignment, 20 * kMiB);
    write(buffer, 0, 20 * kMiB, 1);
    buffer = pool().resize(buffer, 20 * kMiB, kMost + 1, nullptr);
    ASSERT_NE(buffer, nullptr);
    EXPECT_FALSE(pool().owns(buffer));
    EXPECT_EQ(in_use(pool()), before);
    EXPECT_TRUE(holds_words(buffer, 20 * kMiB, 1));
    EXPECT_EQ(pool().resize(buffer, 1000, 1000, nullptr), nullptr) << "not worth it";
    buffer = pool().resize(buffer, 15 * kMiB, 15 * kMiB, nullptr);
    ASSERT_NE(buffer, nullptr);
    EXPECT_TRUE(pool().owns(buffer));
    EXPECT_TRUE(holds_words(buffer, 15 * kMiB, 1));
    buffer = pool().resize(buffer, kMuch);
    ASSERT_NE(buffer, nullptr);
    EXPECT_TRUE(holds_words(buffer, 15 * kMiB, 1));
    pool().put(buffer);
    EXPECT_EQ(in_use(pool()), before);
  }
}

TEST_P(BufferResizeTest, BlocksOfGrownBuffersServeAsAllOthers) {
  for (int round = 0; round < 20; ++round) {
    int moves = 0;
    void* const buffer = grown(600, 300'000, moves);
    pool().put(buffer);
    std::vector<void*> zeroed;
    for (std::size_t size = 600; size < kMuch; size *= 2) {
      zeroed.push_back(pool().take_zeroed(size));
      EXPECT_TRUE(holds(zeroed.back(), size, 0)) << size;
      fill(zeroed.back(), size, 0xa5);
    }
    for (void* other : zeroed) pool().put(other);
  }
}

TEST_P(BufferResizeTest, ThousandsGrowAtOnce) {
  constexpr std::size_t kBuffers = 5000;
  const std::uint64_t before = in_use(pool());
  std::vector<void*> buffers(kBuffers);
  for (std::size_t i = 0; i < kBuffers; ++i) write(buffers[i] = pool().take(600), 0, 600, i);
  for (std::size_t size = 600, next = 0; size < 9000; size = next) {
    next = size / 8 * 12;
    for (std::size_t i = 0; i < kBuffers; ++i) {
      buffers[i] = pool().resize(buffers[i], next);
      ASSERT_NE(buffers[i], nullptr) << i;
      ASSERT_TRUE(holds_words(buffers[i], size, i)) << i;
      write(buffers[i], size, next, i);
    }
  }
  for (void* buffer : buffers) pool().put(buffer);
  EXPECT_EQ(in_use(pool()), before);
  pool().control().trim(0);
  EXPECT_LT(pool().figures().totals().idle_bytes, kMiB);
}

TEST_P(BufferResizeTest, ThreadsGrowBuffersOfOneAnother) {
  std::array<std::atomic<void*>, 16> shared{};
  std::atomic<int> lost{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 3000; ++i) {
        auto& place = shared[random() % shared.size()];
        auto* buffer = static_cast<std::uint64_t*>(place.exchange(nullptr));
        if (buffer == nullptr) {
          buffer = static_cast<std::uint64_t*>(pool().take(600));
          buffer[0] = 600;
        }
        const std::size_t size = buffer[0] * 3 / 2;
        void* const grown = size < 500'000 ? pool().resize(buffer, size) : nullptr;
        if (grown == nullptr) {
          pool().put(buffer);
          continue;
        }
        if (*static_cast<std::uint64_t*>(grown) != size * 2 / 3) ++lost;
        *static_cast<std::uint64_t*>(grown) = size / 2 * 2;
        if (void* const other = place.exchange(grown)) pool().put(other);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (auto& place : shared) {
    if (void* const buffer = place.load()) pool().put(buffer);
  }
  EXPECT_EQ(lost, 0);
}

// The short way is for growing only. A buffer that grew once and shrinks keeps the most that it was
// asked to hold.
TEST_P(BufferResizeTest, WhatGrewOnceAndShrinksIsStillKnown) {
  void* buffer = pool().resize(pool().take(600), 1000);
  ASSERT_NE(buffer, nullptr);
  EXPECT_EQ(pool().resize(buffer, 600), buffer);
  EXPECT_GE(pool().usable_size(buffer), 1000U);
  EXPECT_EQ(pool().resize(buffer, 300), buffer);
  EXPECT_GE(pool().usable_size(buffer), 1000U);
  EXPECT_EQ(pool().resize(buffer, 100), nullptr) << "not the pool's any more";
  pool().put(buffer);
}

}  // namespace
}  // namespace bufpool
