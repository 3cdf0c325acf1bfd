// SPDX-License-Identifier: MIT
// Tests the limits of stacks on one CPU, and what the caches of many CPUs hold together. The many
// CPUs are simulated: a sequence runs on the slab of the CPU that the thread's area names.
#include "pool/percpu/cache_capacity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <random>
#include <vector>

#include "pool/options/policy.h"
#include "pool/platform/process.h"
#include "tests/unit/retained.h"
#include "tests/unit/test_cache.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kAuto = 0;
constexpr std::uint32_t kNever = 1'000'000;  // milliseconds

class CacheCapacityTest : public CpuCacheTest {};

INSTANTIATE_TEST_SUITE_P(Modes, CacheCapacityTest, kCacheModes, kCacheModeName);

TEST_P(CacheCapacityTest, CapacityGrowsWhereBlocksComeAndGo) {
  constexpr std::size_t kBlocks = 500;
  for (int i = 0; i < 40; ++i) cycle(kSmall, kBlocks);
  const std::uint64_t before = own_->behind(kSmall).misses;
  cycle(kSmall, kBlocks);
  EXPECT_EQ(own_->behind(kSmall).misses, before);
  EXPECT_GE(own_->cache.counters().of(kSmall).depth, kBlocks);
}

// The blocks that another CPU puts come back through the spans.
TEST_P(CacheCapacityTest, AStackThatOnlyRunsEmptyStaysSmall) {
  for (int i = 0; i < 3000; ++i) {
    const Block block = own_->take(kSmall);
    own_->spans[to_number(kSmall)].give(std::span(&block, 1), true);
    ASSERT_LE(own_->cache.counters().of(kSmall).depth, batch_blocks(kSmall));
  }
}

TEST_P(CacheCapacityTest, AStackThatOnlyRunsFullStaysSmall) {
  for (int i = 0; i < 3000; ++i) {
    Block block = kNoBlock;
    ASSERT_EQ(own_->spans[to_number(kSmall)].take(std::span(&block, 1)).count, 1U);
    own_->put(kSmall, block);
    ASSERT_LE(own_->cache.counters().of(kSmall).depth, batch_blocks(kSmall));
  }
}

TEST_P(CacheCapacityTest, TheBudgetIsKeptUnderManyClasses) {
  for (const std::uint64_t budget : {64 << 10, 1 << 20, 32 << 20}) {
    remake(budget);
    std::mt19937 random(3);
    for (int i = 0; i < 600; ++i) {
      const ClassIndex c{to_number(kFirstClass) + static_cast<std::uint32_t>(random()) % 61};
      cycle(c, 1 + random() % (stride_bytes(c) > (1 << 20) ? 3 : 60));
      ASSERT_LE(own_->cached_bytes(), budget);
    }
    EXPECT_GT(own_->cached_bytes(), budget / 8) << "and it is used";
  }
}

// A class that gets its share late gets it from those that lie idle.
TEST_P(CacheCapacityTest, IdleClassesGiveWay) {
  remake(4 << 20);
  for (int i = 0; i < 30; ++i) cycle(class_step(64 << 10), 60);
  const std::uint64_t share = own_->cache.counters().of(class_step(64 << 10)).depth;
  EXPECT_GT(share * (64 << 10), std::uint64_t{2} << 20);
  for (int i = 0; i < 30; ++i) cycle(class_step(256 << 10), 12);
  EXPECT_GE(own_->cache.counters().of(class_step(256 << 10)).depth, 8U);
  EXPECT_LT(own_->cache.counters().of(class_step(64 << 10)).depth, share);
  expect_all_back(class_step(64 << 10));
}

TEST_P(CacheCapacityTest, DrainingEmptiesTheCache) {
  for (int i = 0; i < 10; ++i) cycle(kSmall, 100);
  EXPECT_GT(own_->cache.counters().of(kSmall).depth, 0U);
  if (own_->cache.drainer().drain_all() == 0) GTEST_SKIP() << "the kernel refuses membarrier";
  expect_all_back(kSmall);
}

// Puts this thread on one of so many CPUs. The kernel does not know of them, so nothing interrupts
// the sequences. Nobody else may use the cache.
class SimulatedCpus {
 public:
  SimulatedCpus(CpuCache& cache, std::uint32_t count) : before_(thread_area) {
    for (std::uint32_t cpu = 0; cpu < count; ++cpu) cache.slabs().install(cpu);
    thread_area = &area_;
  }
  ~SimulatedCpus() { thread_area = before_; }
  SimulatedCpus(const SimulatedCpus&) = delete;
  SimulatedCpus& operator=(const SimulatedCpus&) = delete;

  void move_to(std::uint32_t cpu) { area_.cpu_id = cpu; }

 private:
  RseqArea area_{};
  RseqArea* before_;
};

// The CPUs that the process may use count whether they are used or not.
std::uint32_t at_least(std::uint32_t count) { return std::max(count, platform::usable_cpus()); }

class ManyCpus : public testing::Test {
 protected:
  void SetUp() override {
    if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer does not understand sequences";
    if (own_.mode != PoolMode::kRseq) GTEST_SKIP() << "no restartable sequences here";
  }

  // It does not use pop_again() or push_again(), because these look where the thread really is.
  static void cycle(TestCache& own, ClassIndex c, std::size_t count) {
    std::vector<Block> blocks(count);
    for (Block& block : blocks) {
      block = own.cache.pop(empty_stack_address(c), 1);
      if (block == kNoBlock) block = own.cache.refill(c, 1).block;
    }
    for (const Block block : blocks) {
      if (!own.cache.push(empty_stack_address(c), block)) own.cache.overflow(c, block);
    }
  }

  // Lets two MiB come and go on each CPU, of which its cache keeps what it may. Returns the most
  // that all of them held.
  static std::uint64_t use_all(TestCache& own, std::uint32_t count) {
    SimulatedCpus cpus(own.cache, count);
    std::uint64_t most = 0;
    for (std::uint32_t cpu = 0; cpu < count; ++cpu) {
      cpus.move_to(cpu);
      for (int i = 0; i < 12; ++i) {
        cycle(own, class_step(64 << 10), 24);
        cycle(own, class_step(4096), 120);
        most = std::max(most, own.cache.counters().idle_bytes());
      }
    }
    return most;
  }

  TestCache own_{PoolMode::kRseq, kAuto};
};

// Another thread is opening the slab. In a forked child there is no such thread.
TEST_F(ManyCpus, SeeNoSlabThatIsBeingOpened) {
  constexpr std::uint32_t kCpu = 100;
  CpuSlabs& slabs = own_.cache.slabs();
  slabs.install(kCpu);
  std::atomic_ref visible(const_cast<SlabDistance&>(slabs.visible()[kCpu]));
  SlabHead& head = head_of(empty_slab_address() + visible.exchange(0));
  ASSERT_TRUE(head.claimed.load());
  head.open.store(false);
  slabs.sharing().note_placed();
  EXPECT_EQ(visible.load(), 0U);
  slabs.install(kCpu);
  EXPECT_EQ(visible.load(), 0U);
  slabs.sharing().repair_in_child();
  EXPECT_EQ(visible.load(), 0U);
  slabs.install(kCpu);
  EXPECT_NE(visible.load(), 0U);
  EXPECT_TRUE(head.open.load());
}

TEST_F(ManyCpus, TogetherHoldNoMoreThanTheBudget) {
  for (const std::uint32_t count : {at_least(64), at_least(256)}) {
    TestCache own(PoolMode::kRseq, kAuto);
    const std::uint64_t most =
        std::max(policy::kRetainMostByDefault, count * policy::kCpuCacheLeast);
    const std::uint64_t held = use_all(own, count);
    EXPECT_LE(held, most) << count;
    EXPECT_GT(held, most / 4) << "and it is used";
  }
}

// The load is one that the budget is needed for.
TEST_F(ManyCpus, HoldMoreWithAFigureForEach) {
  for (const std::uint32_t count : {64U, 256U}) {
    TestCache own(PoolMode::kRseq, 32 * kMiB);
    EXPECT_GT(use_all(own, count), policy::kRetainMostByDefault) << count;
  }
}

TEST_F(ManyCpus, GiveBackWhatTheyHoldBeyondALoweredBudget) {
  constexpr std::uint64_t kLowered = 32 * kMiB;
  const std::uint32_t count = at_least(64);
  use_all(own_, count);
  ASSERT_GT(own_.cache.counters().idle_bytes(), kLowered);
  own_.cache.capacity().share_out(kLowered);
  EXPECT_GT(own_.cache.drainer().drain_quiet(0, kNever), 0U);
  EXPECT_LE(own_.cache.counters().idle_bytes(), kLowered);
  EXPECT_LE(use_all(own_, count), kLowered);
  EXPECT_EQ(own_.cache.drainer().drain_quiet(0, kNever), 0U) << "what is within the budget stays";
}

// It is so if a program may run on more CPUs later.
TEST_F(ManyCpus, ThatComeLateHaveTheirPart) {
  const std::uint64_t all = 2 * kMiB * platform::usable_cpus();
  own_.cache.capacity().share_out(all);
  EXPECT_GT(use_all(own_, 1), 512 * kKiB);
  const std::uint32_t later = 4 * platform::usable_cpus();
  use_all(own_, later);
  EXPECT_LE(own_.cache.capacity().cpu_budget(), 512 * kKiB);
  own_.cache.drainer().drain_quiet(0, kNever);
  EXPECT_LE(use_all(own_, later), all);
}

std::uint64_t part_of(std::uint64_t bytes) {
  return std::max(bytes / platform::usable_cpus() / 4096 * 4096, policy::kCpuCacheLeast);
}

TEST(CacheBudget, IsThePartOfOneOfTheCpusThatTheProcessMayUse) {
  for (const PoolMode mode : {PoolMode::kRseq, PoolMode::kLocked}) {
    if (kThreadSanitizer && mode == PoolMode::kRseq) continue;
    if (platform::usable_cpus() > LockedShards::kMost && mode == PoolMode::kLocked) continue;
    TestCache own(mode, kAuto);
    EXPECT_EQ(own.cache.capacity().cpu_budget(), part_of(policy::kRetainMostByDefault));
  }
}

TEST(CacheBudget, FollowsWhatIsToBeRetained) {
  constexpr std::array kCases{Share{8 * kMiB, 0}, Share{1, 0}, Share{0, 1}, Share{}};
  for (const Share& share : kCases) {
    Options options = default_options();
    options.retain_max = share;
    Retained own(PoolMode::kLocked, options);
    const std::uint64_t most = own.retention.budget().learn_limits().most();
    EXPECT_EQ(own.cache.capacity().cpu_budget(), part_of(most))
        << share.bytes << " or " << share.percent;
  }
}

TEST(CacheBudget, OfAFigureIsThatFigure) {
  CacheBudget budget;
  budget.open(64 * kKiB, 4);
  budget.share_out(kMiB);
  EXPECT_EQ(budget.bytes(100), 64 * kKiB);
}

TEST(CacheBudget, IsSharedByAsManyAsThereAreOrWillBe) {
  CacheBudget budget;
  EXPECT_EQ(budget.bytes(0), policy::kRetainMostByDefault);
  budget.open(kAuto, 3);
  EXPECT_EQ(budget.bytes(0), policy::kRetainMostByDefault / 3 / 4096 * 4096);
  EXPECT_EQ(budget.bytes(4), policy::kRetainMostByDefault / 4);
  budget.share_out(0);
  EXPECT_EQ(budget.bytes(4), policy::kCpuCacheLeast);
}

}  // namespace
}  // namespace bufpool
