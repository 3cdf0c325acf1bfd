// SPDX-License-Identifier: MIT
// What a process may ask of its pool at any time, beside other threads.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "pool/pool_control.h"
#include "tests/unit/test_pool.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::size_t kBytes = 20000;

Options with_budget(std::uint64_t bytes) {
  Options options = options_in(PoolMode::kLocked);
  options.retain_max = Share{.bytes = bytes};
  options.trimmer = TrimmerChoice::kOff;
  return options;
}

std::uint64_t idle_bytes(BufferPool& pool) { return pool.figures().totals().idle_bytes; }

TEST(PoolControl, ThreadsThatWarmUpShareOneRoom) {
  const OwnPool own(with_budget(32 * kMiB));
  BufferPool& pool = own.get();
  std::atomic<std::uint64_t> warmed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 40; ++round) warmed += pool.control().warm_up(kBytes, 50);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::uint64_t stride = stride_bytes(pool.sizes().class_for(kBytes));
  EXPECT_GE(warmed * stride, 30 * kMiB);
  // Each call may warm up less than a span more than it was asked for.
  EXPECT_LE(warmed * stride, 33 * kMiB);
  EXPECT_EQ(idle_bytes(pool), warmed * stride);
  EXPECT_EQ(pool.control().warm_up(kBytes, 10), 0U);
}

TEST(PoolControl, WhatIsWarmedUpBesideOthersIsNobodysElse) {
  const OwnPool own(with_budget(64 * kMiB));
  BufferPool& pool = own.get();
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 1; i <= 2; ++i) {
    threads.emplace_back([&, i] {
      while (!done) {
        void* const buffer = pool.take(kBytes);
        fill(buffer, kBytes, i);
        EXPECT_TRUE(holds(buffer, kBytes, i));
        pool.put(buffer);
      }
    });
  }
  for (int round = 0; round < 10; ++round) {
    EXPECT_GE(pool.control().warm_up(kBytes, 200), 200U);
    pool.control().give_back(0);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
}

TEST(PoolControl, WhatIsGivenBackMayBeWarmedUpAgain) {
  const OwnPool own(with_budget(16 * kMiB));
  BufferPool& pool = own.get();
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(pool.control().warm_up(1 << 20, 14), 14U);
    EXPECT_LE(pool.control().warm_up(1 << 20, 14), 1U);
    EXPECT_GE(pool.control().give_back(0), 14 * kMiB);
    EXPECT_EQ(idle_bytes(pool), 0U);
  }
}

TEST(PoolControl, ANumberThatIsTooLargeIsNoneThatOverflows) {
  const OwnPool own(with_budget(4 * kMiB));
  EXPECT_GE(own.get().control().warm_up(1 << 20, ~std::uint64_t{0}), 3U);
  EXPECT_LE(idle_bytes(own.get()), 4 * kMiB);
}

TEST(PoolControl, BeforeThePoolOpensNothingIsDone) {
  const auto pool = std::make_unique<BufferPool>();
  EXPECT_EQ(pool->control().warm_up(kBytes, 10), 0U);
  EXPECT_EQ(pool->control().give_back(0), 0U);
  pool->control().stats().reset_peaks();
  Residence look;
  EXPECT_EQ(pool->figures().of_class(kFirstClass, look).buffer_bytes, 0U);
  EXPECT_EQ(pool->figures().of_process().mode, PoolMode::kPassThrough);
}

TEST(PoolControl, APeakThatIsResetIsWhatIsInUse) {
  constexpr std::size_t kAlone = 1 << 20;  // such buffers move one by one, so the peak is exact
  const OwnPool own(with_budget(16 * kMiB));
  BufferPool& pool = own.get();
  std::vector<void*> held;
  for (int i = 0; i < 50; ++i) held.push_back(pool.take(kAlone));
  for (int i = 0; i < 45; ++i, held.pop_back()) pool.put(held.back());
  const auto figures = [&] {
    Residence look;
    return pool.figures().of_class(pool.sizes().class_for(kAlone), look);
  };
  EXPECT_EQ(figures().in_use_peak, 50U);
  pool.control().stats().reset_peaks();
  EXPECT_EQ(figures().in_use_peak, 5U);
  for (void* buffer : held) pool.put(buffer);
}

}  // namespace
}  // namespace bufpool
