// SPDX-License-Identifier: MIT
#include "pool/spans/shared_spans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "pool/mapping/span_warmup.h"
#include "tests/unit/class_spans.h"
#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

// A class of nominal 4 KiB has 16 blocks a span.
const ClassIndex kSmall = class_step(4096);
const ClassIndex kLarge = class_step(1 << 20);

TEST(SharedSpans, HaveNothingBeforeTheyAreOpenAndOpenOnce) {
  const OwnSpace space;
  SharedSpans spans;
  Block block = 0;
  EXPECT_EQ(spans.take(std::span(&block, 1)).count, 0U);
  EXPECT_EQ(warm_up(spans.state(), 1), 0U);
  EXPECT_FALSE(SpanLookup(spans.state()).is_block(space.get()->range().start));
  EXPECT_FALSE(SpanLookup(spans.state()).is_block(0));
  spans.open(kSmall, space.get());
  spans.open(kLarge, space.get());
  EXPECT_EQ(spans.take(std::span(&block, 1)).count, 1U);
  EXPECT_EQ(space.get()->range().class_number(block), to_number(kSmall));
}

TEST(SharedSpans, BlocksAreApartWritableAndZero) {
  for (const ClassIndex c : {kFirstClass, kSmall, kLarge}) {
    ClassSpans own(c);
    std::vector<Block> blocks = own.take(3 * own.in_span() + 1);
    ASSERT_EQ(blocks.size(), 3 * own.in_span() + 1);
    for (const Block block : blocks) {
      EXPECT_TRUE(own.lookup().is_block(block));
      EXPECT_TRUE(all_bytes_are(block, own.stride(), 0));
      fill_block(block, own.stride());
    }
    for (const Block block : blocks) EXPECT_TRUE(still_filled(block, own.stride()));
    std::sort(blocks.begin(), blocks.end());
    EXPECT_EQ(std::adjacent_find(blocks.begin(), blocks.end()), blocks.end());
  }
}

// A thread that counts collects what was deferred, and looks at the clock for it.
TEST(SharedSpans, TheClockIsReadAnewAfterCounting) {
  ClassSpans own(kSmall);
  const std::vector<Block> first = own.take(own.in_span());
  const std::vector<Block> second = own.take(own.in_span());
  OwnerLock::begin_fork();
  own.put(first);
  OwnerLock::end_fork();
  EXPECT_GT(own.spans.counters().idle_bytes, 0U);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto later = static_cast<std::uint32_t>(platform::coarse_milliseconds());
  own.spans.give(second, true);
  const SpanBatch oldest = own.detach_idle(later, 0, 1);
  ASSERT_EQ(oldest.count, 1U);
  EXPECT_EQ(to_number(span_age(later, own.spans.figures().oldest_idle_ms())), 0U)
      << "as young as it is";
}

TEST(SharedSpans, WhatIsCollectedByCountingIsToldToThoseWithoutTheLock) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(own.in_span());
  OwnerLock::begin_fork();
  own.put(blocks);
  OwnerLock::end_fork();
  EXPECT_EQ(own.spans.figures().idle_bytes(), 0U);
  const std::uint64_t collected = own.spans.counters().idle_bytes;
  EXPECT_GT(collected, 0U);
  EXPECT_EQ(own.spans.figures().idle_bytes(), collected);
}

TEST(SharedSpans, ABatchIsFilledFromWhatHasPagesOnly) {
  ClassSpans own(kSmall);
  std::vector<Block> blocks(kMaxBatch);
  const Taken taken = own.spans.take(blocks);
  EXPECT_EQ(taken.count, own.in_span()) << "the first span, fresh for the caller, and no second";
  EXPECT_TRUE(taken.new_outstanding_peak);
}

// The span's record says what reads as zero, whatever is written into the blocks.
TEST(SharedSpans, NewBlocksAreKnownToBeZeroAndUsedOnesAreNot) {
  ClassSpans own(kSmall);
  std::vector<Block> blocks(kMaxBatch);
  const Taken fresh = own.spans.take(blocks);
  EXPECT_EQ(fresh.zeroed, fresh.count);
  own.put(std::span(blocks).first(fresh.count));
  const Taken used = own.spans.take(blocks);
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

// A block alone in its span may be much larger than what is asked for.
TEST(SharedSpans, FaultedIsWhatIsAboutToBeTouched) {
  ClassSpans small(kSmall);
  ClassSpans large(kLarge);
  Block block = 0;
  EXPECT_EQ(small.spans.take(std::span(&block, 1), 100).fresh_bytes, 2 * 4096U) << "in pages";
  EXPECT_EQ(small.spans.counters().faulted_bytes, 2 * 4096U);
  const std::uint64_t fresh = large.spans.take(std::span(&block, 1), 100).fresh_bytes;
  EXPECT_EQ(fresh, platform::page_above(large.stride()));
  EXPECT_EQ(large.spans.counters().faulted_bytes, 4096U);
  EXPECT_EQ(large.spans.take(std::span(&block, 1), 4097).count, 1U);
  EXPECT_EQ(large.spans.counters().faulted_bytes, 3 * 4096U);
  EXPECT_EQ(large.spans.take(std::span(&block, 1), large.stride()).count, 1U);
  EXPECT_GE(large.spans.counters().faulted_bytes, 3 * 4096U + large.stride() - 4096U);
}

TEST(SharedSpans, InAForkedChildAPeakBeginsAnewFromWhatIsOut) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(10);
  own.put(std::span(blocks).first(8));
  OwnerLock::enter_process();  // as a child does
  EXPECT_EQ(own.spans.counters().outstanding(), 2U);
  Block block = 0;
  EXPECT_TRUE(own.spans.take(std::span(&block, 1)).new_outstanding_peak);
  EXPECT_EQ(own.spans.counters().outstanding_peak, 3U);
}

TEST(SharedSpans, SaysWhyThereIsNothing) {
  const auto in_little_space = [] {
    ClassSpans tiny(kLarge);
    leave_address_space(0);
    Block none = 0;
    return tiny.spans.take(std::span(&none, 1)).why == Shortage::kMemory ? 0 : __LINE__;
  };
  if (!kLimitsMeanNothing) {
    EXPECT_EQ(in_child(in_little_space), 0);
  }
  Block block = 0;
  ClassSpans own(kSmall);
  OwnerLock::begin_fork();
  EXPECT_EQ(own.spans.take(std::span(&block, 1)).why, Shortage::kLock);
  OwnerLock::end_fork();
  SharedSpans limited;
  limited.open(kSmall, own.space.get(), 1);
  EXPECT_EQ(limited.take(std::span(&block, 1)).count, 1U);
  EXPECT_EQ(limited.take(std::span(&block, 1)).why, Shortage::kLimit);
}

TEST(SharedSpans, TheFullestSpanIsTakenFromFirst) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(3 * own.in_span());
  const auto span_of = [&](Block block) {
    return (block - blocks.front()) / (own.in_span() * own.stride());
  };
  // There is one free block in span 1, and there are five in span 0 and ten in span 2.
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
  EXPECT_TRUE(own.spans.take(std::span(&block, 1)).new_outstanding_peak);
  own.put(block);
  EXPECT_FALSE(own.spans.take(std::span(&block, 1)).new_outstanding_peak);
  EXPECT_TRUE(own.spans.take(std::span(&block, 1)).new_outstanding_peak);
}

// It runs in a child, because all of it is under a limit of the address space.
int serve_to_the_end(ClassIndex c) {
  constexpr std::size_t kBytes = 64 << 20;
  ClassSpans own(c);
  leave_address_space(kBytes);
  // What the test itself asks for is there already.
  std::vector<Block> blocks(kBytes / own.stride());
  std::size_t count = 0;
  while (count < blocks.size() && own.spans.take({&blocks[count], 1}).count == 1) ++count;
  if (count * own.stride() < kBytes / 2) return __LINE__;
  for (std::size_t i = 0; i < count; ++i) fill_block(blocks[i], own.stride());
  Block none = 0;
  if (count < blocks.size() && own.spans.take({&none, 1}).count != 0) return __LINE__;
  const Block last = blocks[count - 1];
  own.put(last);
  if (own.spans.take({&none, 1}).count != 1 || none != last) return __LINE__;
  return 0;
}

TEST(SharedSpans, UnderALimitOfAddressSpaceAllThatIsLeftIsServed) {
  if (kLimitsMeanNothing) GTEST_SKIP() << "no limits under this sanitizer";
  for (const ClassIndex c : {kFirstClass, kSmall, kLarge, class_step(6 << 20)}) {
    EXPECT_EQ(in_child([&] { return serve_to_the_end(c); }), 0) << to_number(c);
  }
}

// Somebody else's mapping lies in a chunk of the class. The class goes on elsewhere.
TEST(SharedSpans, WhatIsMappedByOthersStays) {
  ClassSpans own(kSmall);
  const std::vector<Block> first = own.take(1);
  constexpr std::size_t kTheirs = 1 << 20;  // from the chunk's start
  auto* const theirs = reinterpret_cast<void*>(first[0] + kTheirs);
  ASSERT_EQ(platform::map_at(theirs, platform::kPageBytes), platform::Mapped::kYes);
  *static_cast<char*>(theirs) = 77;
  const std::vector<Block> blocks = own.take((16 << 20) / own.stride());
  EXPECT_GT(blocks.size(), 3000U);
  for (const Block block : blocks) fill_block(block, own.stride());
  EXPECT_EQ(*static_cast<char*>(theirs), 77);
  EXPECT_FALSE(own.lookup().maps(first[0] + kTheirs));
}

// A signal handler that interrupts the owner of the lock takes nothing, and its gives are deferred.
TEST(SharedSpans, WhileThisThreadHoldsTheLockGivesAreDeferred) {
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(own.in_span());
  OwnerLock::begin_fork();
  Block none = 0;
  EXPECT_EQ(own.spans.take(std::span(&none, 1)).count, 0U);
  own.put(blocks[3]);
  own.spans.give(std::span(blocks).subspan(7, 3), true);
  EXPECT_EQ(own.spans.deferred().count(), 4U);
  EXPECT_EQ(own.spans.counters().overflows, 0U) << "not yet collected";
  OwnerLock::end_fork();

  std::vector<Block> again = own.take(4);
  EXPECT_EQ(own.spans.deferred().count(), 0U);
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
  OwnerLock::begin_fork();
  own.spans.give_unfilled(std::span(blocks).first(1));
  OwnerLock::end_fork();
  EXPECT_EQ(own.spans.deferred().count(), 1U);
  EXPECT_EQ(own.spans.counters().outstanding(), 1U);
  EXPECT_EQ(own.spans.deferred().count(), 0U);
}

// Takes and gives at random, beside a set of what is out.
TEST(SharedSpans, NoBlockIsEverOutTwice) {
  ClassSpans own(kSmall);
  std::mt19937 random(7);
  std::set<Block> out;
  std::vector<Block> held;
  own.put(own.take(640));  // from here on all have pages
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
