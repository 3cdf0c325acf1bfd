// SPDX-License-Identifier: MIT
#include "pool/shared_spans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "tests/unit/class_spans.h"
#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

// Nominal 4 KiB: 16 blocks a span.
const ClassIndex kSmall = class_step(4096);
const ClassIndex kLarge = class_step(1 << 20);

TEST(SharedSpans, HaveNothingBeforeTheyAreOpenAndOpenOnce) {
  OwnRegion memory(4 << 20);
  SharedSpans spans;
  OwnerLock::enter_process();
  Block block = 0;
  EXPECT_EQ(spans.take(std::span(&block, 1)).count, 0U);
  EXPECT_EQ(spans.warm_up(1), 0U);
  EXPECT_FALSE(spans.is_block(memory.part(0, 1).start));
  EXPECT_FALSE(spans.is_block(0));
  spans.open(kSmall, memory.part(0, 1 << 20), memory.part(1 << 20, 1 << 20));
  spans.open(kLarge, memory.part(2 << 20, 1 << 20), memory.part(3 << 20, 1 << 20));
  EXPECT_EQ(spans.take(std::span(&block, 1)).count, 1U);
  EXPECT_EQ(block, memory.part(0, 1).start);
}

TEST(SharedSpans, BlocksAreApartWritableAndZero) {
  for (const ClassIndex c : {kFirstClass, kSmall, kLarge}) {
    ClassSpans own(c);
    std::vector<Block> blocks = own.take(3 * own.in_span() + 1);
    ASSERT_EQ(blocks.size(), 3 * own.in_span() + 1);
    for (const Block block : blocks) {
      EXPECT_TRUE(own.spans.is_block(block));
      EXPECT_TRUE(all_bytes_are(block, own.stride(), 0));
      fill_block(block, own.stride());
    }
    for (const Block block : blocks) EXPECT_TRUE(still_filled(block, own.stride()));
    std::sort(blocks.begin(), blocks.end());
    EXPECT_EQ(std::adjacent_find(blocks.begin(), blocks.end()), blocks.end());
  }
}

TEST(SharedSpans, BlockAroundFindsTheBlockOfEveryByte) {
  ClassSpans own(kSmall);
  for (const Block block : own.take(2 * own.in_span())) {
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{1}, std::size_t{64}, own.stride() - 1}) {
      EXPECT_EQ(own.spans.block_around(block + at), block);
      EXPECT_EQ(own.spans.is_block(block + at), at == 0);
    }
  }
}

TEST(SharedSpans, WhatIsNotCommittedIsNoBlock) {
  ClassSpans own(kSmall);
  const Region region = own.memory.part(0, std::size_t{1} << 30);
  EXPECT_FALSE(own.spans.is_block(region.start));
  ASSERT_EQ(own.take(1).size(), 1U);
  EXPECT_TRUE(own.spans.is_block(region.start));
  EXPECT_FALSE(own.spans.is_block(region.start + (100 << 20) / own.stride() * own.stride()));
}

// Whoever counts collects what was deferred, and looks at the clock for it.
TEST(SharedSpans, TheClockIsReadAnewAfterCounting) {
  ClassSpans own(kSmall);
  const std::vector<Block> first = own.take(own.in_span());
  const std::vector<Block> second = own.take(own.in_span());
  own.spans.lock_for_fork();
  own.put(first);
  own.spans.unlock_after_fork();
  EXPECT_GT(own.spans.counters().idle_bytes, 0U);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto later = static_cast<std::uint32_t>(platform::coarse_milliseconds());
  own.spans.give(second, true);
  const SpanBatch oldest = own.spans.take_idle(later, 0, 1);
  ASSERT_EQ(oldest.idle, 1U);
  EXPECT_EQ(span_age_ms(later, own.spans.oldest_idle_ms()), 0U) << "as young as it is";
}

TEST(SharedSpans, WhatIsCollectedByCountingIsToldToThoseWithoutTheLock) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(own.in_span());
  own.spans.lock_for_fork();
  own.put(blocks);
  own.spans.unlock_after_fork();
  EXPECT_EQ(own.spans.idle_bytes(), 0U);
  const std::uint64_t collected = own.spans.counters().idle_bytes;
  EXPECT_GT(collected, 0U);
  EXPECT_EQ(own.spans.idle_bytes(), collected);
}

TEST(SharedSpans, ABatchIsFilledFromWhatHasPagesOnly) {
  ClassSpans own(kSmall);
  std::vector<Block> blocks(kMaxBatch);
  const SharedSpans::Taken taken = own.spans.take(blocks);
  EXPECT_EQ(taken.count, own.in_span()) << "the first span, fresh for the caller, and no second";
  EXPECT_TRUE(taken.record);
}

// The span's record says what reads as zero, whatever is written into the blocks.
TEST(SharedSpans, NewBlocksAreKnownToBeZeroAndUsedOnesAreNot) {
  ClassSpans own(kSmall);
  std::vector<Block> blocks(kMaxBatch);
  const SharedSpans::Taken fresh = own.spans.take(blocks);
  EXPECT_EQ(fresh.zeroed, fresh.count);
  own.put(std::span(blocks).first(fresh.count));
  const SharedSpans::Taken used = own.spans.take(blocks);
  EXPECT_EQ(used.count, fresh.count);
  EXPECT_EQ(used.zeroed, 0U);
}

TEST(SharedSpans, BlocksThatComeBackUnusedAreNotKnownToBeZero) {
  ClassSpans own(kSmall);
  std::vector<Block> blocks(2);
  EXPECT_EQ(own.spans.take(blocks).zeroed, 2U);
  own.spans.give_unfilled(std::span(blocks).last(1));
  EXPECT_EQ(own.spans.take(blocks).zeroed, 0U);
}

TEST(SharedSpans, ABlocksPlaceIsTheRecords) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(2);
  EXPECT_EQ(own.spans.place_of(blocks[0]), SharedSpans::Place::kOut);
  own.put(blocks[0]);
  EXPECT_EQ(own.spans.place_of(blocks[0]), SharedSpans::Place::kUnused);
  EXPECT_EQ(own.spans.place_of(blocks[1]), SharedSpans::Place::kOut);
  own.put(blocks[1]);
  SpanBatch batch = own.spans.take_idle(0, 0, ~std::uint64_t{0});
  EXPECT_GT(own.spans.purge(batch, 0), 0U);
  EXPECT_EQ(own.spans.place_of(blocks[1]), SharedSpans::Place::kFree);
  own.spans.lock_for_fork();
  EXPECT_EQ(own.spans.place_of(blocks[0]), SharedSpans::Place::kUnknown);
  own.spans.unlock_after_fork();
}

// A block alone in its span may be much larger than what is asked for.
TEST(SharedSpans, FaultedIsWhatIsAboutToBeTouched) {
  ClassSpans small(kSmall);
  ClassSpans large(kLarge);
  Block block = 0;
  EXPECT_EQ(small.spans.take(std::span(&block, 1), 100).fresh_bytes,
            small.in_span() * small.stride());
  EXPECT_EQ(small.spans.counters().faulted_bytes, small.in_span() * small.stride());
  EXPECT_EQ(large.spans.take(std::span(&block, 1), 100).fresh_bytes, large.stride());
  EXPECT_EQ(large.spans.counters().faulted_bytes, 4096U);
  EXPECT_EQ(large.spans.take(std::span(&block, 1), 4097).count, 1U);
  EXPECT_EQ(large.spans.counters().faulted_bytes, 3 * 4096U);
  EXPECT_EQ(large.spans.take(std::span(&block, 1), large.stride()).count, 1U);
  EXPECT_EQ(large.spans.counters().faulted_bytes, 3 * 4096U + large.stride());
}

TEST(SharedSpans, APeakBeginsAnewFromWhatIsOut) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(10);
  own.put(std::span(blocks).first(8));
  EXPECT_EQ(own.spans.restart_peak(), 2U);
  Block block = 0;
  EXPECT_TRUE(own.spans.take(std::span(&block, 1)).record);
}

TEST(SharedSpans, SaysWhyThereIsNothing) {
  ClassSpans tiny(kLarge, 1 << 20);
  Block block = 0;
  EXPECT_EQ(tiny.spans.take(std::span(&block, 1)).why, Shortage::kMemory);
  ClassSpans own(kSmall);
  own.spans.lock_for_fork();
  EXPECT_EQ(own.spans.take(std::span(&block, 1)).why, Shortage::kLock);
  own.spans.unlock_after_fork();
  SharedSpans limited;
  limited.open(kSmall, own.memory.part(0, 1 << 20), own.memory.part(1 << 30, 1 << 20), 1);
  EXPECT_EQ(limited.take(std::span(&block, 1)).count, 1U);
  EXPECT_EQ(limited.take(std::span(&block, 1)).why, Shortage::kLimit);
}

TEST(SharedSpans, TheFullestSpanIsTakenFromFirst) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(3 * own.in_span());
  const auto span_of = [&](Block block) {
    return (block - blocks.front()) / (own.in_span() * own.stride());
  };
  // One free block in span 1, five in span 0, ten in span 2.
  std::array<std::size_t, 3> free{5, 1, 10};
  for (const Block block : blocks) {
    if (free[span_of(block)] > 0) {
      --free[span_of(block)];
      own.put(block);
    }
  }
  std::vector<std::size_t> order;
  for (const Block block : own.take(16)) order.push_back(span_of(block));
  std::vector<std::size_t> expected{1};
  expected.insert(expected.end(), 5, 0);
  expected.insert(expected.end(), 10, 2);
  EXPECT_EQ(order, expected);
}

TEST(SharedSpans, ASpanThatEmptiesIsIdle) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(own.in_span());
  for (std::size_t i = 0; i + 1 < blocks.size(); ++i) {
    own.put(blocks[i]);
    EXPECT_EQ(own.spans.counters().idle_bytes, 0U);
    EXPECT_EQ(own.spans.counters().free_bytes, (i + 1) * own.stride());
  }
  own.put(blocks.back());
  EXPECT_EQ(own.spans.counters().idle_bytes, own.in_span() * own.stride());
  EXPECT_EQ(own.spans.counters().free_bytes, 0U);
  ASSERT_EQ(own.take(1).size(), 1U);
  EXPECT_EQ(own.spans.counters().idle_bytes, 0U);
  EXPECT_EQ(own.spans.counters().free_bytes, (own.in_span() - 1) * own.stride());
  EXPECT_EQ(own.spans.counters().carved_bytes, own.in_span() * own.stride());
}

TEST(SharedSpans, CountersTellWhatWasMoved) {
  ClassSpans own(kSmall);
  std::vector<Block> blocks(10);
  ASSERT_EQ(own.spans.take(blocks).count, 10U);
  own.spans.give_unfilled(std::span(blocks).last(2));      // no room for two of the nine
  own.spans.give(std::span(blocks).subspan(1, 3), false);  // three out of a cache
  own.spans.give(std::span(blocks).subspan(4, 2), true);   // a put and one out of a cache
  const SpanCounters counters = own.spans.counters();
  EXPECT_EQ(counters.misses, 1U);
  EXPECT_EQ(counters.filled, 7U);
  EXPECT_EQ(counters.drained, 4U);
  EXPECT_EQ(counters.overflows, 1U);
  EXPECT_EQ(counters.outstanding(), 3U);
  EXPECT_EQ(counters.outstanding_peak, 10U);
}

TEST(SharedSpans, ARecordIsMoreBlocksOutThanEver) {
  ClassSpans own(kSmall);
  Block block = 0;
  EXPECT_TRUE(own.spans.take(std::span(&block, 1)).record);
  own.put(block);
  EXPECT_FALSE(own.spans.take(std::span(&block, 1)).record);
  EXPECT_TRUE(own.spans.take(std::span(&block, 1)).record);
}

TEST(SharedSpans, ASmallRegionIsServedToItsEnd) {
  for (const ClassIndex c : {kFirstClass, kSmall, kLarge}) {
    const std::size_t bytes = 5 * span_bytes(c) + 100;
    const std::size_t whole = (bytes + platform::kPageBytes) & ~(platform::kPageBytes - 1);
    ClassSpans own(c, whole);
    std::vector<Block> blocks = own.take(100 * own.in_span());
    EXPECT_EQ(blocks.size(), whole / span_bytes(c) * own.in_span());
    for (const Block block : blocks) fill_block(block, own.stride());
    Block none = 0;
    EXPECT_EQ(own.spans.take(std::span(&none, 1)).count, 0U);
    own.put(blocks.back());
    EXPECT_EQ(own.take(2), std::vector<Block>{blocks.back()});
  }
}

TEST(SharedSpans, ARegionSmallerThanASpanServesNothing) {
  ClassSpans own(kLarge, 1 << 20);
  EXPECT_TRUE(own.take(1).empty());
  EXPECT_EQ(own.spans.counters().carved_bytes, 0U);
}

// Whoever interrupts the owner of the lock (a signal handler) takes nothing, and gives later.
TEST(SharedSpans, WhileThisThreadHoldsTheLockGivesAreDeferred) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(own.in_span());
  own.spans.lock_for_fork();
  Block none = 0;
  EXPECT_EQ(own.spans.take(std::span(&none, 1)).count, 0U);
  own.put(blocks[3]);
  own.spans.give(std::span(blocks).subspan(7, 3), true);
  EXPECT_EQ(own.spans.deferred(), 4U);
  EXPECT_EQ(own.spans.counters().overflows, 0U) << "not yet collected";
  own.spans.unlock_after_fork();

  std::vector<Block> again = own.take(4);
  EXPECT_EQ(own.spans.deferred(), 0U);
  EXPECT_EQ(own.spans.counters().overflows, 2U) << "the first of each batch is a put";
  EXPECT_EQ(own.spans.counters().drained, 2U) << "the others come out of a cache";
  std::sort(again.begin(), again.end());
  std::vector<Block> given{blocks[3], blocks[7], blocks[8], blocks[9]};
  std::sort(given.begin(), given.end());
  EXPECT_EQ(again, given);
  for (const Block block : given) EXPECT_EQ(guard_line(block).link, 0U) << "the link is wiped";
}

TEST(SharedSpans, ALookAtTheCountersCollectsToo) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(2);
  own.spans.lock_for_fork();
  own.spans.give_unfilled(std::span(blocks).first(1));
  own.spans.unlock_after_fork();
  EXPECT_EQ(own.spans.deferred(), 1U);
  EXPECT_EQ(own.spans.counters().outstanding(), 1U);
  EXPECT_EQ(own.spans.deferred(), 0U);
}

// Random takes and gives beside a set of what is out.
TEST(SharedSpans, NoBlockIsEverOutTwice) {
  ClassSpans own(kSmall);
  std::mt19937 random(7);
  std::set<Block> out;
  std::vector<Block> held;
  for (int i = 0; i < 20000; ++i) {
    std::vector<Block> blocks(1 + random() % kMaxBatch);
    if (random() % 2 == 0 || held.size() < blocks.size()) {
      blocks.resize(own.spans.take(blocks).count);
      for (const Block block : blocks) ASSERT_TRUE(out.insert(block).second);
      held.insert(held.end(), blocks.begin(), blocks.end());
      std::shuffle(held.begin(), held.end(), random);
    } else {
      std::copy_n(held.end() - static_cast<long>(blocks.size()), blocks.size(), blocks.begin());
      held.resize(held.size() - blocks.size());
      for (const Block block : blocks) out.erase(block);
      own.spans.give(blocks, random() % 2 == 0);
    }
    const SpanCounters counters = own.spans.counters();
    ASSERT_EQ(counters.outstanding(), held.size());
    ASSERT_EQ(counters.idle_bytes + counters.free_bytes + held.size() * own.stride(),
              counters.carved_bytes);
    if (held.size() > 500) {
      own.put(held);
      held.clear();
      out.clear();
    }
  }
}

TEST(SharedSpans, ThreadsNeverGetTheSameBlock) {
  ClassSpans own(kSmall);
  std::vector<std::thread> threads;
  std::atomic<int> clashes{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::vector<Block> blocks(8);
      for (int i = 0; i < (kThreadSanitizer ? 1000 : 10000); ++i) {
        const std::uint32_t count = own.spans.take(blocks).count;
        const std::uint64_t mine = static_cast<std::uint64_t>(t) << 32 | static_cast<unsigned>(i);
        for (std::uint32_t b = 0; b < count; ++b) guard_line(blocks[b]).state = mine + b;
        for (std::uint32_t b = 0; b < count; ++b) {
          if (guard_line(blocks[b]).state != mine + b) ++clashes;
        }
        own.spans.give(std::span(blocks).first(count), true);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(clashes, 0);
  EXPECT_EQ(own.spans.counters().outstanding(), 0U);
}

}  // namespace
}  // namespace bufpool
