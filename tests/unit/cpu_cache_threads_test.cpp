// SPDX-License-Identifier: MIT
// Tests many threads at the CPUs' caches: nothing is lost, nothing comes twice, and the counts are
// exact.
#include <gtest/gtest.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/test_cache.h"

namespace bufpool {
namespace {

// The threads below run on all CPUs.
class CpuCacheThreads : public CpuCacheTest {
 protected:
  static constexpr std::array<std::size_t, 4> kSizes{600, 4096, 70000, 1 << 20};
  static constexpr int kThreads = 6;

  // Takes and puts at random. A block must be nobody else's meanwhile.
  void use(int thread, int rounds) {
    std::mt19937 random(static_cast<unsigned>(thread));
    std::vector<std::pair<ClassIndex, Block>> held;
    for (int i = 0; i < rounds; ++i) {
      if (held.size() < 20 && random() % 2 == 0) {
        const ClassIndex c = class_step(kSizes[random() % kSizes.size()]);
        const Block block = own_->take(c);
        guard_line(block).state = mark(thread, block);
        held.emplace_back(c, block);
        ++takes_;
      } else if (!held.empty()) {
        std::swap(held[random() % held.size()], held.back());
        put_back(thread, held.back());
        held.pop_back();
      }
    }
    for (const auto& one : held) put_back(thread, one);
  }

  void run_threads(int rounds) {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) threads.emplace_back([=, this] { use(t, rounds); });
    for (std::thread& thread : threads) thread.join();
  }

  void expect_exact() {
    std::uint64_t gets = 0;
    for (const std::size_t size : kSizes) {
      const ClassIndex c = class_step(size);
      const StackCounters stacks = own_->cache.counters().of(c);
      const SpanCounters behind = own_->behind(c);
      EXPECT_EQ(behind.outstanding(), stacks.depth);
      gets += stacks.hits + behind.misses;
      const std::uint64_t puts = stacks.depth + stacks.hits + behind.drained - behind.filled +
                                 behind.overflows + own_->spans[to_number(c)].deferred().count();
      EXPECT_EQ(puts, stacks.hits + behind.misses);
    }
    EXPECT_EQ(gets, takes_);
    EXPECT_EQ(clashes_, 0);
    for (const std::size_t size : kSizes) expect_all_back(class_step(size));
  }

  std::atomic<std::uint64_t> takes_{0};
  std::atomic<int> clashes_{0};

 private:
  static std::uint64_t mark(int thread, Block block) {
    return block << 8 | static_cast<unsigned>(thread);
  }
  void put_back(int thread, std::pair<ClassIndex, Block> one) {
    if (guard_line(one.second).state != mark(thread, one.second)) ++clashes_;
    own_->put(one.first, one.second);
  }
};

// The fixture's own thread stays on one CPU. The threads that it starts would inherit that.
class AnyCpu {
 public:
  AnyCpu() {
    cpu_set_t all;
    CPU_ZERO(&all);
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);
    sched_setaffinity(0, sizeof all, &all);
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, CpuCacheThreads, kCacheModes, kCacheModeName);

constexpr int kRounds = kThreadSanitizer ? 5000 : 300'000;

TEST_P(CpuCacheThreads, CountersAreExactOnceAllAreQuiet) {
  const AnyCpu any;
  run_threads(kRounds);
  expect_exact();
}

TEST_P(CpuCacheThreads, NoBlockIsLostOrDoubledWhileOthersDrain) {
  const AnyCpu any;
  std::atomic<bool> stop{false};
  std::array<std::thread, 2> drainers;
  for (std::thread& drainer : drainers) {
    drainer = std::thread([&] {
      while (!stop) {
        own_->cache.drainer().drain_all();
        std::this_thread::yield();
      }
    });
  }
  run_threads(kRounds);
  stop = true;
  for (std::thread& drainer : drainers) drainer.join();
  expect_exact();
}

TEST_P(CpuCacheThreads, ABudgetForAlmostNothingIsFoughtOver) {
  remake(300 << 10);
  const AnyCpu any;
  run_threads(kRounds / 4);
  expect_exact();
}

TEST_P(CpuCacheThreads, ShortLivedThreadsLeaveNothingBehind) {
  const AnyCpu any;
  for (int i = 0; i < 100; ++i) {
    std::thread thread([&] { use(i % 100, 50); });
    thread.join();
  }
  expect_exact();
}

TEST_P(CpuCacheThreads, ABlockPutByAnotherThreadIsServedAgain) {
  const AnyCpu any;
  for (int i = 0; i < 50; ++i) {
    const Block block = own_->take(kSmall);
    std::thread([&] { own_->put(kSmall, block); }).join();
    ++takes_;
  }
  EXPECT_LE(own_->behind(kSmall).carved_bytes, std::uint64_t{8} << 20);
  expect_exact();
}

}  // namespace
}  // namespace bufpool
