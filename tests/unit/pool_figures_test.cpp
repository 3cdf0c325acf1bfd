// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "pool/backing/backing.h"
#include "pool/buffer_pool.h"
#include "pool/platform/memory.h"
#include "pool/platform/safe_calls.h"
#include "tests/unit/test_pool.h"

namespace bufpool {
namespace {

Snapshot snapshot_of(BufferPool& pool) {
  Snapshot snapshot;
  pool.figures().snapshot(snapshot);
  return snapshot;
}

// Checks what counters.def promises of a class once all threads are quiet. Returns 0, or the line
// that fails.
int broken_promise(const ClassSnapshot& c) {
  const std::uint64_t stride = stride_bytes(class_step(c.buffer_bytes));
  if (c.gets != c.hits + c.misses) return __LINE__;
  if (c.in_use != c.inherited + c.gets - c.puts) return __LINE__;
  if (c.in_use_peak < c.in_use) return __LINE__;
  if (c.puts < c.overflows) return __LINE__;
  if (c.granted != c.gets * stride) return __LINE__;
  if (c.asked > c.granted) return __LINE__;
  if (c.idle > c.carved) return __LINE__;
  if (c.retained > c.idle) return __LINE__;
  if (c.cached * stride > c.idle) return __LINE__;
  if (c.over_limit + c.locked_out > c.fallbacks) return __LINE__;
  return 0;
}
int broken_promise(const Snapshot& snapshot) {
  for (const ClassSnapshot& c : snapshot.classes) {
    if (c.buffer_bytes == 0) continue;
    if (const int line = broken_promise(c)) return line;
  }
  return 0;
}

TEST(PoolSnapshotUnopened, SaysPassThroughAndNothingElse) {
  const auto pool = std::make_unique<BufferPool>();
  const Snapshot snapshot = snapshot_of(*pool);
  EXPECT_EQ(snapshot.mode, PoolMode::kPassThrough);
  EXPECT_EQ(snapshot.size, sizeof(Snapshot));
  EXPECT_EQ(snapshot.version, kSnapshotVersion);
  EXPECT_EQ(snapshot.reserved, 0U);
  for (const ClassSnapshot& c : snapshot.classes) EXPECT_EQ(c.buffer_bytes, 0U);
  EXPECT_EQ(pool->figures().totals().carved_bytes, 0U);
}

class PoolSnapshotTest : public InEachMode {
 protected:
  ClassSnapshot count(std::size_t size) {
    return snapshot_of(pool()).classes[to_number(class_step(size))];
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, PoolSnapshotTest, kBothModes, mode_name);

TEST_P(PoolSnapshotTest, HeadSaysWhoAndHow) {
  const Snapshot snapshot = snapshot_of(pool());
  EXPECT_EQ(snapshot.mode, GetParam());
  EXPECT_EQ(snapshot.pid, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(snapshot.reserved, pool().figures().reserved_bytes());
  EXPECT_GT(snapshot.resident, 0U);
}

TEST_P(PoolSnapshotTest, ClassesAscendAndThoseOutOfUseAreZero) {
  BufferPool& few = open_pool(options_in(GetParam(), "4K,64K"));
  for (BufferPool* shown : {&pool(), &few}) {
    std::uint64_t before = 0;
    std::size_t shown_classes = 0;
    for (const ClassSnapshot& c : snapshot_of(*shown).classes) {
      if (c.buffer_bytes == 0) {
        EXPECT_EQ(c.gets + c.carved + c.retained, 0U);
        continue;
      }
      EXPECT_GT(c.buffer_bytes, before);
      before = c.buffer_bytes;
      ++shown_classes;
    }
    EXPECT_EQ(shown_classes, shown == &few ? 2U : to_number(kLastClass));
  }
}

TEST_P(PoolSnapshotTest, EveryGetAndPutIsCountedAndEveryByte) {
  constexpr std::size_t kSize = 12000;
  const ClassSnapshot before = count(kSize);
  std::vector<void*> buffers;
  for (int i = 0; i < 100; ++i) buffers.push_back(pool().take(kSize));
  for (int i = 0; i < 10; ++i) buffers.push_back(pool().take_zeroed(kSize));
  for (int i = 0; i < 30; ++i) {
    pool().put(buffers.back());
    buffers.pop_back();
  }
  const ClassSnapshot now = count(kSize);
  EXPECT_EQ(now.gets - before.gets, 110U);
  EXPECT_EQ(now.puts - before.puts, 30U);
  EXPECT_EQ(now.in_use - before.in_use, 80U);
  EXPECT_EQ(now.asked - before.asked, 110U * kSize);
  EXPECT_EQ(now.granted - before.granted, 110U * stride_bytes(class_step(kSize)));
  EXPECT_EQ(broken_promise(now), 0);
  for (void* buffer : buffers) pool().put(buffer);
  EXPECT_EQ(count(kSize).in_use, before.in_use);
}

TEST_P(PoolSnapshotTest, RetainedGoesWithTrim) {
  constexpr std::size_t kSize = 100 << 10;
  std::vector<void*> buffers(50);
  for (void*& buffer : buffers) fill(buffer = pool().take(kSize), kSize, 1);
  for (void* buffer : buffers) pool().put(buffer);
  EXPECT_GE(count(kSize).retained, 50 * kSize);
  const std::uint64_t drains = snapshot_of(pool()).cpu_drains;
  pool().control().trim(0);
  EXPECT_EQ(count(kSize).retained, 0U);
  EXPECT_EQ(count(kSize).idle, 0U);
  EXPECT_EQ(count(kSize).cached, 0U);
  EXPECT_GE(count(kSize).carved, 50 * kSize);
  EXPECT_GT(snapshot_of(pool()).cpu_drains, drains);
  EXPECT_EQ(broken_promise(snapshot_of(pool())), 0);
}

// The pages of each buffer count that hold the guard line or the part that was filled, and whatever
// shares one of those pages.
TEST_P(PoolSnapshotTest, RetainedIsWhatWasTouched) {
  if (platform::call_filters() != 0) GTEST_SKIP() << "a filter of system calls is in force";
  constexpr std::size_t kSize = 1400 << 10;
  constexpr std::size_t kTouched = 300 << 10;
  constexpr std::uint64_t kPages = 3 * platform::kPageBytes;
  BufferPool& own = open_pool(options_in(GetParam()));
  const auto row = [&] { return snapshot_of(own).classes[to_number(class_step(kSize))]; };
  std::vector<void*> buffers(30);
  for (void*& buffer : buffers) buffer = own.take(kSize);
  EXPECT_EQ(row().retained, 0U);
  for (void* buffer : buffers) own.put(buffer);
  EXPECT_GE(row().idle, 30 * kSize);
  EXPECT_GE(row().retained, 30 * sizeof(GuardLine));
  EXPECT_LE(row().retained, 30 * kPages);
  for (void*& buffer : buffers) fill(buffer = own.take(kSize), kTouched, 1);
  EXPECT_EQ(row().retained, 0U);
  for (void* buffer : buffers) own.put(buffer);
  EXPECT_GE(row().retained, 30 * kTouched);
  EXPECT_LE(row().retained, 30 * (kTouched + kPages));
  EXPECT_LE(row().faulted, 31 * row().carved / 30) << "and not again";
}

TEST_P(PoolSnapshotTest, RetainedOfSmallBuffersIsTheirPages) {
  if (platform::call_filters() != 0) GTEST_SKIP() << "a filter of system calls is in force";
  constexpr std::size_t kSize = 7000;
  BufferPool& own = open_pool(options_in(GetParam()));
  const auto row = [&] { return snapshot_of(own).classes[to_number(class_step(kSize))]; };
  std::vector<void*> buffers(200);
  for (void*& buffer : buffers) fill(buffer = own.take(kSize), kSize, 1);
  const std::uint64_t before = row().retained;
  for (std::size_t i = 0; i < buffers.size(); i += 2) own.put(buffers[i]);
  const std::uint64_t half = row().retained - before;
  EXPECT_GE(half, 100 * kSize);
  EXPECT_LE(half, 100 * stride_bytes(class_step(kSize)));
  for (std::size_t i = 1; i < buffers.size(); i += 2) own.put(buffers[i]);
  EXPECT_GE(row().retained, 200 * kSize);
}

TEST_P(PoolSnapshotTest, RoomToGrowIsNotGranted) {
  BufferPool& own = open_pool(options_in(GetParam()));
  for (int round = 0; round < 20; ++round) {
    void* buffer = own.take(600);
    for (std::size_t size = 1000; size < 400'000; size += size / 2) {
      buffer = own.resize(buffer, size);
    }
    own.put(buffer);
  }
  std::uint64_t asked = 0;
  std::uint64_t granted = 0;
  for (const ClassSnapshot& row : snapshot_of(own).classes) {
    EXPECT_LE(row.asked, row.granted);
    asked += row.asked;
    granted += row.granted;
  }
  EXPECT_GT(own.figures().totals().carved_bytes, 300'000U);
  EXPECT_LT(granted, asked + asked / 2) << "a class wastes a fifth, and its gap";
}

TEST_P(PoolSnapshotTest, FallbacksSayWhy) {
  Options options = options_in(GetParam());
  options.max_buffers = 3;
  BufferPool& own = open_pool(options);
  const auto row = [&] { return snapshot_of(own).classes[to_number(class_step(9000))]; };
  std::vector<void*> held(10);
  for (void*& buffer : held) buffer = own.take(9000);
  EXPECT_EQ(row().fallbacks, 7U);
  EXPECT_EQ(row().over_limit, 7U);
  EXPECT_EQ(own.figures().gets(), 10U) << "asked for, if not handed out";
  own.control().before_fork();  // holds the locks, as what a signal handler interrupts may
  EXPECT_FALSE(own.owns(own.take_zeroed(70'000)));
  own.control().after_fork_in_parent();
  const Snapshot now = snapshot_of(own);
  EXPECT_EQ(now.classes[to_number(class_step(70'000))].locked_out, 1U);
  EXPECT_EQ(now.classes[to_number(class_step(70'000))].over_limit, 0U);
}

TEST(PoolSnapshot, ClassesOutsideTheRangeAreNotInUse) {
  Options options = options_in(PoolMode::kLocked);
  options.min_size = 4000;
  options.max_size = 64 << 10;
  BufferPool& own = open_pool(options);
  for (std::uint32_t i = 0; i < kSnapshotClasses; ++i) {
    const bool within = i >= to_number(class_step(4000)) && i <= to_number(class_step(64 << 10));
    EXPECT_EQ(snapshot_of(own).classes[i].buffer_bytes != 0, within) << i;
  }
}

TEST(PoolSnapshot, TheRangeIsKnownWithoutAPool) {
  Options options = options_in(PoolMode::kLocked);
  const auto pool = std::make_unique<BufferPool>();
  EXPECT_EQ(pool->sizes().least(), kMinSize);
  EXPECT_EQ(pool->sizes().most(), kMaxSize + kHeaderRoom);
  options.disable = true;
  options.min_size = 3000;
  options.max_size = 64 << 10;
  EXPECT_FALSE(pool->open(options));
  EXPECT_EQ(pool->sizes().least(), 3000U);
  EXPECT_EQ(pool->sizes().most(), (64U << 10) + kHeaderRoom);
  EXPECT_FALSE(pool->wants(5000) || pool->sizes().serves(5000) ||
               pool->sizes().serves_aligned(4096, 5000));
}

TEST_P(PoolSnapshotTest, PromisesHoldAfterManyThreads) {
  std::atomic<std::uint64_t> gets{0};
  const Snapshot before = snapshot_of(pool());
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      std::vector<void*> held;
      for (int i = 0; i < (kThreadSanitizer ? 2000 : 50'000); ++i) {
        if (held.size() < 30 && random() % 2 == 0) {
          held.push_back(pool().take(512U << random() % 9));
          ++gets;
        } else if (!held.empty()) {
          pool().put(held.back());
          held.pop_back();
        }
        if (i % 5000 == 77) pool().control().trim(0);
      }
      for (void* buffer : held) pool().put(buffer);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Snapshot now = snapshot_of(pool());
  EXPECT_EQ(broken_promise(now), 0);
  std::uint64_t counted = 0;
  for (std::size_t i = 0; i < kSnapshotClasses; ++i) {
    EXPECT_EQ(now.classes[i].in_use, before.classes[i].in_use);
    counted += now.classes[i].gets - before.classes[i].gets;
  }
  EXPECT_EQ(counted, gets);
}

TEST_P(PoolSnapshotTest, TotalsAreTheSums) {
  void* const buffer = pool().take(50000);
  const Snapshot snapshot = snapshot_of(pool());
  const PoolTotals totals = pool().figures().totals();
  std::uint64_t idle = 0;
  std::uint64_t carved = 0;
  std::uint64_t in_use = 0;
  for (std::uint32_t i = to_number(kFirstClass); i <= to_number(kLastClass); ++i) {
    idle += snapshot.classes[i].idle;
    carved += snapshot.classes[i].carved;
    in_use += snapshot.classes[i].in_use * stride_bytes(ClassIndex{i});
  }
  EXPECT_EQ(totals.idle_bytes, idle);
  EXPECT_EQ(totals.carved_bytes, carved);
  EXPECT_EQ(totals.in_use_bytes, in_use);
  EXPECT_GE(totals.in_use_bytes, 50000U);
  pool().put(buffer);
}

constexpr std::size_t kForked = 9000;

// The most that the parent ever had is not the child's.
TEST_P(PoolSnapshotTest, AForkedChildHasAPeakOfItsOwn) {
  std::vector<void*> held(300);
  for (void*& buffer : held) buffer = pool().take(kForked);
  for (std::size_t i = 20; i < held.size(); ++i) pool().put(held[i]);
  held.resize(20);
  const ClassSnapshot parent = count(kForked);
  EXPECT_GT(parent.in_use_peak, 250U);
  pool().control().before_fork();
  const int child = in_child([&] {
    pool().control().after_fork_in_child();
    if (count(kForked).in_use_peak != parent.in_use) return 1;
    for (int i = 0; i < 100; ++i) pool().put(pool().take(kForked));
    if (count(kForked).in_use_peak > parent.in_use + batch_blocks(class_step(kForked))) return 2;
    for (int i = 0; i < 600; ++i) held.push_back(pool().take(kForked));
    return count(kForked).in_use_peak == parent.in_use + 600 ? 0 : 3;
  });
  pool().control().after_fork_in_parent();
  EXPECT_EQ(child, 0);
  EXPECT_EQ(count(kForked).in_use_peak, parent.in_use_peak);
  for (void* buffer : held) pool().put(buffer);
}

// Checks, in the child, that nothing happened yet, but for what it inherited.
int check_as_child(BufferPool& pool, std::uint64_t inherited, int generations) {
  const auto c = [&] { return snapshot_of(pool).classes[to_number(class_step(kForked))]; };
  ClassSnapshot now = c();
  if (now.gets != 0 || now.puts != 0 || now.hits != 0 || now.asked != 0) return __LINE__;
  if (now.inherited != inherited || now.in_use != inherited) return __LINE__;
  if (snapshot_of(pool).pid != static_cast<std::uint32_t>(getpid())) return __LINE__;
  void* const kept = pool.take(kForked);
  pool.put(pool.take(kForked));
  now = c();
  if (now.gets != 2 || now.puts != 1 || now.in_use != inherited + 1) return __LINE__;
  if (now.asked != 2 * kForked) return __LINE__;
  if (const int line = broken_promise(snapshot_of(pool))) return line;
  if (generations > 0) {
    pool.control().before_fork();
    const int below = in_child([&] {
      pool.control().after_fork_in_child();
      return check_as_child(pool, inherited + 1, generations - 1);
    });
    pool.control().after_fork_in_parent();
    if (below != 0) return below;
  }
  pool.put(kept);
  return 0;
}

TEST_P(PoolSnapshotTest, AForkedChildCountsFromZero) {
  std::vector<void*> held(7);
  for (void*& buffer : held) buffer = pool().take(kForked);
  const std::uint64_t in_use = count(kForked).in_use;
  const std::uint64_t gets = count(kForked).gets;
  pool().control().before_fork();
  const int child = in_child([&] {
    pool().control().after_fork_in_child();
    const int line = check_as_child(pool(), in_use, 1);
    if (line != 0) return line & 0xff;
    for (void* buffer : held) pool().put(buffer);
    return count(kForked).in_use == in_use - held.size() ? 0 : 1;
  });
  pool().control().after_fork_in_parent();
  EXPECT_EQ(child, 0);
  EXPECT_EQ(count(kForked).gets, gets) << "the parent's counts are the parent's";
  EXPECT_EQ(count(kForked).inherited, 0U);
  for (void* buffer : held) pool().put(buffer);
}

// Other threads are at work. The child is held to work, and to its own counts.
TEST_P(PoolSnapshotTest, AChildOfABusyParentWorks) {
  // While another thread forks, what is taken may be mimalloc's.
  const auto give_back = [this](void* buffer) {
    pool().owns(buffer) ? pool().put(buffer) : backing::release(buffer);
  };
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer dislikes forks of threaded programs";
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        for (const std::size_t size : {600, 9000, 70000, 1 << 20}) give_back(pool().take(size));
      }
    });
  }
  // This lets some children be born with a CPU's cache half drained.
  threads.emplace_back([&] {
    while (!stop) pool().control().trim(0);
  });
  for (int i = 0; i < 30; ++i) {
    pool().control().before_fork();
    const pid_t child = fork();
    if (child == 0) {
      pool().control().after_fork_in_child();
      alarm(120);
      std::vector<void*> held;
      for (const std::size_t size : {600, 9000, 70000, 1 << 20}) held.push_back(pool().take(size));
      pool().control().trim(0);
      for (void* buffer : held) pool().put(buffer);
      const ClassSnapshot c = count(9000);
      _exit(c.gets == 1 && c.puts == 1 ? 0 : 1);
    }
    pool().control().after_fork_in_parent();
    EXPECT_EQ(wait_for(child), 0);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace bufpool
