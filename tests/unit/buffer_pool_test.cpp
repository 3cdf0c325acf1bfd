// SPDX-License-Identifier: MIT
#include "pool/buffer_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "pool/backing/backing.h"
#include "pool/platform/memory.h"
#include "tests/unit/one_cpu.h"
#include "tests/unit/test_pool.h"

namespace bufpool {
namespace {

constexpr std::size_t kLargest = kMaxSize + kHeaderRoom;

std::vector<std::size_t> sizes_at_the_edges() {
  std::vector<std::size_t> sizes{kMinSize, kMinSize + 1};
  for_each_class([&](ClassIndex c) {
    if (nominal_bytes(c) > 48 << 20) return;  // filling those takes long
    sizes.push_back(buffer_bytes(c));
    sizes.push_back(buffer_bytes(c) + 1);
  });
  return sizes;
}

TEST(BufferPoolUnopened, WantsNothingAndOwnsNothing) {
  const auto pool = std::make_unique<BufferPool>();
  for (const std::size_t size : {std::size_t{0}, kMinSize, kLargest, ~std::size_t{0}}) {
    EXPECT_FALSE(pool->wants(size));
  }
  EXPECT_FALSE(pool->owns(nullptr));
  EXPECT_FALSE(pool->owns(pool.get()));
  EXPECT_EQ(pool->figures().mode(), PoolMode::kPassThrough);
  pool->control().before_fork();
  pool->control().after_fork_in_parent();
}

TEST(BufferPoolUnopened, StaysSoWhenDisabled) {
  Options options = default_options();
  options.disable = true;
  const auto pool = std::make_unique<BufferPool>();
  EXPECT_FALSE(pool->open(options));
  EXPECT_FALSE(pool->wants(4096));
  EXPECT_EQ(pool->figures().reserved_bytes(), 0U);
}

class BufferPoolTest : public InEachMode {};
INSTANTIATE_TEST_SUITE_P(Modes, BufferPoolTest, kBothModes, mode_name);

TEST_P(BufferPoolTest, IsInTheModeAskedFor) { EXPECT_EQ(pool().figures().mode(), GetParam()); }

TEST_P(BufferPoolTest, WantsBuffersOnly) {
  EXPECT_FALSE(pool().wants(0));
  EXPECT_FALSE(pool().wants(kMinSize - 1));
  EXPECT_TRUE(pool().wants(kMinSize));
  EXPECT_TRUE(pool().wants(kLargest));
  EXPECT_FALSE(pool().wants(kLargest + 1));
  EXPECT_FALSE(pool().wants(~std::size_t{0}));
}

TEST_P(BufferPoolTest, EverySizeIsServedAndUsableToItsLastByte) {
  for (const std::size_t size : sizes_at_the_edges()) {
    void* const one = pool().take(size);
    void* const two = pool().take(size);
    for (void* buffer : {one, two}) {
      ASSERT_TRUE(pool().owns(buffer));
      ASSERT_TRUE(is_aligned(buffer, size > 1024 ? 64 : 16)) << size;
      ASSERT_GE(pool().usable_size(buffer), size);
      ASSERT_LE(pool().usable_size(buffer) - size, size / 4 + kHeaderRoom);
    }
    fill(one, pool().usable_size(one), 0x11);
    fill(two, pool().usable_size(two), 0x22);
    EXPECT_TRUE(holds(one, pool().usable_size(one), 0x11)) << size;
    EXPECT_TRUE(holds(two, pool().usable_size(two), 0x22)) << size;
    pool().put(one);  // finds its guard line intact, or ends here
    pool().put(two);
  }
}

TEST_P(BufferPoolTest, NeighboursAreNotTouched) {
  for (const std::size_t size : {600, 4096, 70000, 1 << 20}) {
    std::vector<void*> buffers(40);
    for (void*& buffer : buffers) buffer = pool().take(size);
    const std::size_t bytes = pool().usable_size(buffers[0]);
    for (std::size_t i = 0; i < buffers.size(); ++i) fill(buffers[i], bytes, static_cast<int>(i));
    for (std::size_t i = 0; i < buffers.size(); i += 2) pool().put(buffers[i]);
    for (std::size_t i = 0; i < buffers.size(); i += 2) buffers[i] = pool().take_zeroed(size);
    for (std::size_t i = 1; i < buffers.size(); i += 2) {
      EXPECT_TRUE(holds(buffers[i], bytes, static_cast<int>(i)));
    }
    for (void* buffer : buffers) pool().put(buffer);
  }
}

TEST_P(BufferPoolTest, ZeroedIsZeroWhetherFreshUsedOrPurged) {
  for (const std::size_t size : {512, 600, 5000, 65536, 1 << 20, 16 << 20}) {
    for (int round = 0; round < 4; ++round) {
      std::vector<void*> buffers(3);
      for (void*& buffer : buffers) {
        buffer = pool().take_zeroed(size);
        ASSERT_TRUE(holds(buffer, size, 0)) << size << " in round " << round;
        fill(buffer, pool().usable_size(buffer), 0xee);
      }
      for (void* buffer : buffers) pool().put(buffer);
      if (round == 1) pool().control().trim(0);
    }
  }
}

TEST_P(BufferPoolTest, EveryAlignmentIsServed) {
  std::vector<void*> held;
  for (std::size_t alignment = 1; alignment <= (std::size_t{32} << 20); alignment *= 2) {
    for (const std::size_t size : {512, 1000, 4096, 5000, 70000, 1 << 20, 16 << 20}) {
      void* const buffer = pool().take_aligned(alignment, size);
      ASSERT_NE(buffer, nullptr);
      ASSERT_TRUE(is_aligned(buffer, std::max<std::size_t>(alignment, 16))) << alignment;
      if (!pool().owns(buffer)) {
        EXPECT_GT(size + alignment, kLargest) << "only what fits no class is passed on";
        backing::release(buffer);
        continue;
      }
      ASSERT_GE(pool().usable_size(buffer), size);
      fill(buffer, pool().usable_size(buffer), 0x77);
      held.push_back(buffer);
    }
    for (void* buffer : held) {
      EXPECT_TRUE(holds(buffer, pool().usable_size(buffer), 0x77));
      pool().put(buffer);
    }
    held.clear();
  }
}

// The guard line that an aligned entry left inside a block must not be taken for one later.
TEST_P(BufferPoolTest, ABlockServesPlainAfterAligned) {
  for (int i = 0; i < 20; ++i) {
    void* const aligned = pool().take_aligned(2048, 3000);
    pool().put(aligned);
    void* const plain = pool().take(5000);
    fill(plain, pool().usable_size(plain), 0x55);
    pool().put(plain);
    void* const zeroed = pool().take_zeroed(5000);
    EXPECT_TRUE(holds(zeroed, 5000, 0));
    pool().put(zeroed);
  }
}

TEST_P(BufferPoolTest, TrimGivesBackWhatIsIdleAndNothingElse) {
  constexpr std::size_t kSize = 256 << 10;
  pool().control().trim(0);
  std::vector<void*> buffers(64);
  for (void*& buffer : buffers) buffer = pool().take(kSize);
  for (void* buffer : buffers) fill(buffer, kSize, 0x3c);
  EXPECT_EQ(pool().control().trim(0), 0U) << "nothing is idle";
  for (std::size_t i = 8; i < buffers.size(); ++i) pool().put(buffers[i]);
  const std::uint64_t idle = pool().figures().totals().idle_bytes;
  EXPECT_GE(idle, 56 * kSize);
  const std::uint64_t given = pool().control().trim(idle / 2);
  EXPECT_GE(given, idle / 2 - (1 << 20));
  EXPECT_LE(given, idle / 2 + (1 << 20));
  EXPECT_GE(given + pool().control().trim(0), 56 * kSize);
  EXPECT_LT(pool().figures().totals().idle_bytes, std::uint64_t{4} << 20);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_TRUE(holds(buffers[i], kSize, 0x3c));
    pool().put(buffers[i]);
  }
}

// Pages that are there cost less than fresh ones, but not for ever: each time is a miss.
TEST_P(BufferPoolTest, ALargerIdleBufferServesUntilOneOfItsOwnWouldHavePaid) {
  const OneCpu here;
  const std::size_t own_bytes = buffer_bytes(class_step(64 << 10));
  const std::size_t lent_bytes = buffer_bytes(class_step(80 << 10));
  pool().put(pool().take(80 << 10));
  int own = 0;
  int lent = 0;
  for (int i = 0; i < 10000; ++i) {
    void* const buffer = pool().take(64 << 10);
    const std::size_t usable = pool().usable_size(buffer);
    own += usable == own_bytes ? 1 : 0;
    lent += usable == lent_bytes ? 1 : 0;
    pool().put(buffer);
  }
  EXPECT_EQ(own + lent, 10000);
  EXPECT_GT(lent, 100);
  EXPECT_GT(own, 9000);
}

TEST_P(BufferPoolTest, AnyThreadMayPutWhatAnotherTook) {
  std::vector<void*> buffers(200);
  std::thread([&] {
    for (void*& buffer : buffers) buffer = pool().take(10000);
  }).join();
  std::thread([&] {
    for (void* buffer : buffers) pool().put(buffer);
  }).join();
  EXPECT_EQ(pool().figures().totals().in_use_bytes, 0U);
}

TEST_P(BufferPoolTest, BuffersOfManyThreadsAreApart) {
  std::atomic<int> damaged{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < (kThreadSanitizer ? 500 : 5000); ++i) {
        const std::size_t size = 512 + random() % 20000;
        void* const buffer = pool().take(size);
        fill(buffer, size, static_cast<int>(t));
        if (i % 16 == 0) std::this_thread::yield();
        if (!holds(buffer, size, static_cast<int>(t))) ++damaged;
        pool().put(buffer);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(damaged, 0);
}

class BufferPoolOptions : public testing::Test {
 protected:
  static void take_and_check(BufferPool& pool, std::size_t size, std::size_t usable) {
    void* const buffer = pool.take(size);
    EXPECT_EQ(pool.usable_size(buffer), usable) << size;
    fill(buffer, usable, 0x44);
    pool.put(buffer);
  }
};

TEST_F(BufferPoolOptions, ClassesServeAllThatIsBelowThem) {
  const OwnPool own(options_in(PoolMode::kLocked, "4K,60000,1M"));
  BufferPool& pool = own.get();
  for (const std::size_t size : {512, 513, 961, 4096, 4160}) take_and_check(pool, size, 4160);
  for (const std::size_t size : {4161, 60000, 65536}) take_and_check(pool, size, 65536 + 64);
  for (const std::size_t size : {70000, 1 << 20}) take_and_check(pool, size, (1 << 20) + 64);
  EXPECT_FALSE(pool.wants((1 << 20) + 65));
  for (std::size_t alignment = 32; alignment <= 4096; alignment *= 2) {
    void* const buffer = pool.take_aligned(alignment, 700);
    ASSERT_TRUE(pool.owns(buffer));
    EXPECT_TRUE(is_aligned(buffer, alignment));
    pool.put(buffer);
  }
  EXPECT_EQ(pool.figures().totals().in_use_bytes, 0U);
}

TEST_F(BufferPoolOptions, TheSmallestClassMayStandAlone) {
  const OwnPool own(options_in(PoolMode::kLocked, "512"));
  BufferPool& pool = own.get();
  take_and_check(pool, 512, 576);
  take_and_check(pool, 576, 576);
  EXPECT_FALSE(pool.wants(577));
}

TEST_F(BufferPoolOptions, SizesMayBeBounded) {
  Options options = options_in(PoolMode::kLocked);
  options.min_size = 3000;
  options.max_size = 100000;
  const OwnPool own(options);
  BufferPool& pool = own.get();
  EXPECT_EQ(pool.sizes().least(), 3000U);
  EXPECT_FALSE(pool.wants(2999));
  EXPECT_TRUE(pool.wants(3000));
  EXPECT_TRUE(pool.wants(100000 + kHeaderRoom));
  EXPECT_FALSE(pool.wants(100000 + kHeaderRoom + 1));
  take_and_check(pool, 3000, 3072 + 64);
  void* const aligned = pool.take_aligned(65536, 90000);
  EXPECT_TRUE(is_aligned(aligned, 65536));
  EXPECT_FALSE(pool.owns(aligned)) << "what it would take is above the bound";
  backing::release(aligned);
}

TEST_F(BufferPoolOptions, BoundsThatCrossServeNothing) {
  Options options = options_in(PoolMode::kLocked);
  options.min_size = 1 << 20;
  options.max_size = 4096;
  const OwnPool own(options);
  BufferPool& pool = own.get();
  for (const std::size_t size : {512, 4096, 5000, 1 << 20, 2 << 20}) EXPECT_FALSE(pool.wants(size));
}

TEST_P(BufferPoolTest, AnExhaustedClassIsPassedOn) {
  Options options = options_in(GetParam());
  options.max_buffers = 7;
  const OwnPool own(options);
  BufferPool& pool = own.get();
  std::vector<void*> pooled;
  void* buffer = nullptr;
  while (pool.owns(buffer = pool.take(16 << 20))) pooled.push_back(buffer);
  ASSERT_EQ(pooled.size(), 7U);
  ASSERT_NE(buffer, nullptr);
  fill(buffer, 16 << 20, 1);
  void* const zeroed = pool.take_zeroed(16 << 20);
  ASSERT_TRUE(zeroed != nullptr && !pool.owns(zeroed) && holds(zeroed, 16 << 20, 0));
  void* const aligned = pool.take_aligned(4096, 15 << 20);
  ASSERT_TRUE(aligned != nullptr && !pool.owns(aligned) && is_aligned(aligned, 4096));
  Snapshot snapshot;
  pool.figures().snapshot(snapshot);
  const ClassSnapshot& counts = snapshot.classes[to_number(class_step(16 << 20))];
  EXPECT_EQ(counts.fallbacks, 3U);
  EXPECT_EQ(counts.in_use, pooled.size());
  for (void* passed : {buffer, zeroed, aligned}) backing::release(passed);
  pool.put(pooled.back());
  EXPECT_EQ(pool.take(16 << 20), pooled.back());
}

// It runs in a child, because all of it is under a limit of the address space.
int serve_under_limit(PoolMode mode) {
  BufferPool& pool = open_pool(options_in(mode));
  leave_address_space(std::size_t{200} << 20);
  std::array<void*, 20> pooled{};
  std::size_t count = 0;
  while (count < pooled.size() && pool.owns(pooled[count] = pool.take(16 << 20))) ++count;
  if (count < 8 || count == pooled.size()) return __LINE__;
  fill(pooled[count - 1], 16 << 20, 1);
  pool.put(pooled[count - 1]);
  return pool.take(16 << 20) == pooled[count - 1] ? 0 : __LINE__;
}

TEST_P(BufferPoolTest, UnderALimitItServesWhatIsLeft) {
  if (kLimitsMeanNothing) GTEST_SKIP() << "no limits under this sanitizer";
  EXPECT_EQ(in_child([] { return serve_under_limit(GetParam()); }), 0);
}

TEST(BufferPoolLimits, WithoutAddressSpaceItStaysClosed) {
  if (kLimitsMeanNothing) GTEST_SKIP() << "no limits under this sanitizer";
  const auto refused = [] {
    auto* const pool = new BufferPool;
    leave_address_space(0);
    if (pool->open(default_options())) return __LINE__;
    return pool->wants(4096) || pool->figures().mode() != PoolMode::kPassThrough ? __LINE__ : 0;
  };
  EXPECT_EQ(in_child(refused), 0);
}

// The pool's range is not reserved. A mapping of others in it is passed on.
TEST_P(BufferPoolTest, WhatIsMappedByOthersInItsRangeIsNotItsOwn) {
  const OwnPool own(options_in(GetParam()));
  BufferPool& pool = own.get();
  auto* const buffer = static_cast<char*>(pool.take(4096));
  auto* const beyond = reinterpret_cast<void*>(
      (reinterpret_cast<std::uintptr_t>(buffer) & ~(kChunkBytes - 1)) + 3 * kChunkBytes);
  ASSERT_TRUE(pool.owns(beyond));
  ASSERT_EQ(platform::map_at(beyond, 1 << 20), platform::Mapped::kYes);
  void* const theirs = static_cast<char*>(beyond) + 4096;
  EXPECT_EQ(pool.resize(theirs, 5000), nullptr) << "and no fault is told";
  pool.put(buffer);
  platform::unreserve(beyond, 1 << 20);
}

}  // namespace
}  // namespace bufpool
