// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "pool/spans/shared_spans.h"
#include "tests/unit/class_spans.h"
#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kAll = ~std::uint64_t{0};
const ClassIndex kSmall = class_step(4096);

std::uint32_t now() { return static_cast<std::uint32_t>(platform::coarse_milliseconds()); }

// Has some spans, all of whose blocks are filled.
class SpanPurgeTest : public testing::TestWithParam<std::size_t> {
 protected:
  static constexpr std::size_t kSpans = 6;

  SpanPurgeTest() : blocks_(own_.take(kSpans * own_.in_span())) {
    for (const Block block : blocks_) fill_block(block, own_.stride());
  }

  std::span<const Block> blocks_of(std::size_t span) const {
    return std::span(blocks_).subspan(span * own_.in_span(), own_.in_span());
  }
  std::size_t span_size() const { return own_.in_span() * own_.stride(); }
  void empty(std::size_t span) { own_.put(blocks_of(span)); }
  bool intact(std::size_t span) const { return all_of(span, still_filled); }
  bool zero(std::size_t span) const {
    return all_of(span,
                  [](Block block, std::size_t bytes) { return all_bytes_are(block, bytes, 0); });
  }
  template <typename Test>
  bool all_of(std::size_t span, Test test) const {
    const auto blocks = blocks_of(span);
    return std::all_of(blocks.begin(), blocks.end(),
                       [&](Block block) { return test(block, own_.stride()); });
  }
  // Takes idle spans, and returns their numbers.
  std::vector<std::size_t> take_idle(std::uint32_t min_age, std::uint64_t most) {
    SpanBatch batch = own_.detach_idle(now(), min_age, most);
    std::vector<std::size_t> numbers;
    for (std::uint32_t i = 0; i < batch.count; ++i) {
      const Span& span = *batch.spans[i];
      const Block first = span.run->start_of(span.number, Geometry(own_.index));
      std::size_t number = 0;
      while (blocks_[number * own_.in_span()] != first) ++number;
      numbers.push_back(number);
    }
    return numbers;
  }

  ClassSpans own_{class_step(GetParam())};
  std::vector<Block> blocks_;
};

INSTANTIATE_TEST_SUITE_P(Classes, SpanPurgeTest,
                         testing::Values(576, 1000, 4096, 40000, 65536, 81920, 1 << 20));

TEST_P(SpanPurgeTest, PurgedSpansReadAsZeroAndNeighboursAreUnharmed) {
  for (const std::size_t span : {1, 3, 4}) empty(span);
  SpanBatch batch = own_.detach_idle(now(), 0, kAll);
  EXPECT_EQ(batch.count, 3U);
  EXPECT_EQ(own_.purge(batch, now()), 3 * span_size());
  for (const std::size_t span : {0, 2, 5}) EXPECT_TRUE(intact(span)) << span;
  for (const std::size_t span : {1, 3, 4}) EXPECT_TRUE(zero(span)) << span;
}

TEST_P(SpanPurgeTest, CountersFollow) {
  for (const std::size_t span : {0, 2}) empty(span);
  EXPECT_EQ(own_.spans.counters().idle_bytes, 2 * span_size());
  SpanBatch batch = own_.detach_idle(now(), 0, kAll);
  EXPECT_EQ(own_.spans.counters().idle_bytes, 0U);
  EXPECT_EQ(own_.purge(batch, now()), 2 * span_size());
  EXPECT_EQ(own_.spans.counters().idle_bytes, 0U);
  EXPECT_EQ(own_.spans.counters().carved_bytes, kSpans * span_size());
}

TEST_P(SpanPurgeTest, PurgedSpansAreTakenAgainBeforeFreshOnesAreCut) {
  empty(2);
  SpanBatch batch = own_.detach_idle(now(), 0, kAll);
  EXPECT_GT(own_.purge(batch, now()), 0U);
  std::vector<Block> again = own_.take(own_.in_span());
  std::sort(again.begin(), again.end());
  EXPECT_TRUE(std::equal(again.begin(), again.end(), blocks_of(2).begin()));
  EXPECT_EQ(own_.spans.counters().carved_bytes, kSpans * span_size());
  for (const Block block : again) fill_block(block, own_.stride());
  for (std::size_t span = 0; span < kSpans; ++span) EXPECT_TRUE(intact(span)) << span;
}

TEST_P(SpanPurgeTest, SpansBeingPurgedAreOutOfReach) {
  empty(1);
  const SpanBatch batch = own_.detach_idle(now(), 0, kAll);
  ASSERT_EQ(batch.count, 1U);
  EXPECT_EQ(own_.detach_idle(now(), 0, kAll).count, 0U);
  for (const Block block : own_.take(2)) {
    EXPECT_FALSE(std::count(blocks_of(1).begin(), blocks_of(1).end(), block));
  }
}

TEST_P(SpanPurgeTest, OldestFirst) {
  for (const std::size_t span : {4, 0, 3}) empty(span);
  EXPECT_EQ(take_idle(0, 1), std::vector<std::size_t>{4}) << "one span at least";
  EXPECT_EQ(take_idle(0, span_size()), std::vector<std::size_t>{0});
  EXPECT_EQ(take_idle(0, kAll), std::vector<std::size_t>{3});
  EXPECT_TRUE(take_idle(0, kAll).empty());
}

TEST_P(SpanPurgeTest, ASpanUsedMeanwhileIsYoungAgain) {
  for (const std::size_t span : {4, 0, 3}) empty(span);
  const std::vector<Block> again = own_.take(1);  // of the newest, as it is warm
  EXPECT_EQ(own_.lookup().block_around(again[0]), again[0]);
  EXPECT_EQ((again[0] - blocks_[0]) / span_size(), 3U);
  own_.put(again);
  EXPECT_EQ(take_idle(0, kAll), (std::vector<std::size_t>{4, 0, 3}));
}

TEST_P(SpanPurgeTest, TheYoungAreSpared) {
  const std::uint32_t before = now();
  empty(0);
  const std::uint32_t after = now();
  EXPECT_EQ(own_.detach_idle(before + 99, 100 + (after - before), kAll).count, 0U);
  EXPECT_EQ(own_.detach_idle(after + 100, 100, kAll).count, 1U);
}

// The clock of 32 bits comes round after 49 days. A thread that looked at it before a span became
// idle must not take the difference for such a time.
TEST_P(SpanPurgeTest, AgesSurviveTheClocksWrap) {
  EXPECT_EQ(to_number(span_age(5, 0xffff'fffb)), 10U);
  EXPECT_EQ(to_number(span_age(0xffff'fffb, 5)), 0U);
  empty(0);
  EXPECT_EQ(own_.detach_idle(now() - 60'000, 1, kAll).count, 0U);
  EXPECT_EQ(own_.detach_idle(now() + 60'000, 50'000, kAll).count, 1U);
}

TEST_P(SpanPurgeTest, BytesBoundABatch) {
  for (std::size_t span = 0; span < kSpans; ++span) empty(span);
  EXPECT_EQ(take_idle(0, 2 * span_size()).size(), 2U);
  EXPECT_EQ(take_idle(0, 2 * span_size() - 1).size(), 2U) << "the last may go over";
  EXPECT_EQ(take_idle(0, 0).size(), 0U);
}

TEST_P(SpanPurgeTest, WhileThisThreadHoldsTheLockNothingIsTaken) {
  empty(0);
  OwnerLock::begin_fork();
  EXPECT_EQ(own_.detach_idle(now(), 0, kAll).count, 0U);
  OwnerLock::end_fork();
  EXPECT_EQ(own_.detach_idle(now(), 0, kAll).count, 1U);
}

// They are not lost either: the thread that has the lock next files them.
TEST_P(SpanPurgeTest, SpansPurgedWhileAnotherThreadForksComeBack) {
  for (std::size_t span = 0; span < kSpans; ++span) empty(span);
  SpanBatch batch = own_.detach_idle(now(), 0, kAll);
  ASSERT_EQ(batch.count, kSpans);
  OwnerLock::begin_fork();
  EXPECT_EQ(own_.purge(batch, now()), kSpans * span_size());
  OwnerLock::end_fork();
  EXPECT_EQ(own_.spans.counters().purged_bytes, kSpans * span_size());
  const std::uint64_t carved = own_.spans.counters().carved_bytes;
  EXPECT_EQ(own_.take(kSpans * own_.in_span()).size(), kSpans * own_.in_span());
  EXPECT_EQ(own_.spans.counters().carved_bytes, carved);
}

TEST(SpanPurge, ABatchHoldsNoMoreThanItsMost) {
  ClassSpans own(kSmall);
  const std::size_t spans = SpanBatch::kMost + 3;
  own.put(own.take(spans * own.in_span()));
  EXPECT_EQ(own.detach_idle(now(), 0, kAll).count, SpanBatch::kMost);
  EXPECT_EQ(own.detach_idle(now(), 0, kAll).count, 3U);
}

TEST(SpanPurge, ResidentMemoryGoesBack) {
  if (kThreadSanitizer || kAddressSanitizer) GTEST_SKIP() << "shadow memory is resident too";
  ClassSpans own(class_step(1 << 20));
  const std::vector<Block> blocks = own.take(64);
  for (const Block block : blocks) fill_block(block, own.stride());
  own.put(blocks);
  const std::size_t before = platform::resident_bytes();
  SpanBatch batch = own.detach_idle(now(), 0, kAll);
  const std::uint64_t bytes = own.purge(batch, now());
  EXPECT_EQ(bytes, 64 * own.stride());
  EXPECT_LT(platform::resident_bytes() + bytes, before + (4 << 20));
}

// Locked pages cannot be given back by madvise: the spans stay idle, with all that is in them.
TEST(SpanPurge, ARefusedPurgeChangesNothing) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer ignores mlock";
  ClassSpans own(kSmall);
  const std::vector<Block> blocks = own.take(own.in_span());
  for (const Block block : blocks) fill_block(block, own.stride());
  auto* const all = reinterpret_cast<void*>(blocks[0]);
  if (mlock(all, span_bytes(kSmall)) != 0) GTEST_SKIP() << "no mlock";
  if (platform::purge(reinterpret_cast<void*>(blocks[0] + platform::kPageBytes), 0) &&
      madvise(all, platform::kPageBytes, MADV_DONTNEED) == 0) {
    GTEST_SKIP() << "mlock is a sham here";
  }
  own.put(blocks);
  SpanBatch batch = own.detach_idle(now(), 0, kAll);
  EXPECT_EQ(own.purge(batch, now()), 0U);
  EXPECT_EQ(own.spans.counters().idle_bytes, span_bytes(kSmall));
  for (const Block block : blocks) EXPECT_TRUE(still_filled(block, own.stride()));
  EXPECT_EQ(own.take(own.in_span()).size(), own.in_span());
  EXPECT_EQ(own.spans.counters().carved_bytes, span_bytes(kSmall));
}

// The pages before the locked page are gone, and those behind it are not. The span is free, and
// nothing is known of its contents. Spans beside it go back.
TEST(SpanPurge, AHalfRefusedPurgeIsNotBelieved) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer ignores mlock";
  ClassSpans own(class_step(1 << 20));
  const std::vector<Block> blocks = own.take(5);
  for (const Block block : blocks) fill_block(block, own.stride());
  if (mlock(reinterpret_cast<void*>(blocks[2] + (512 << 10)), 1) != 0) GTEST_SKIP() << "no mlock";
  own.put(blocks);
  SpanBatch batch = own.detach_idle(now(), 0, kAll);
  const std::uint64_t purged = own.purge(batch, now());
  if (purged == 5 * own.stride()) GTEST_SKIP() << "mlock is a sham here";
  EXPECT_EQ(purged, 4 * own.stride());
  EXPECT_EQ(own.spans.counters().idle_bytes, own.stride());
  for (int i = 0; i < 5; ++i) {
    Block block = 0;
    const Taken taken = own.spans.take(std::span(&block, 1));
    EXPECT_EQ(taken.zeroed, block == blocks[2] ? 0U : 1U);
    EXPECT_EQ(all_bytes_are(block, own.stride(), 0), block != blocks[2]);
  }
}

TEST(SpanPurge, ThreadsKeepTheirBlocksWhileOthersArePurged) {
  ClassSpans own(kSmall);
  std::atomic<bool> stop{false};
  std::atomic<int> damaged{0};
  std::atomic<std::uint64_t> purged{0};
  std::thread purger([&] {
    while (!stop) {
      SpanBatch batch = own.detach_idle(now(), 0, kAll);
      purged += own.purge(batch, now());
    }
  });
  std::vector<std::thread> users;
  for (int t = 0; t < 3; ++t) {
    users.emplace_back([&] {
      for (int i = 0; i < 200 || (purged < (2 << 20) && i < 1'000'000); ++i) {
        std::array<Block, 20> blocks{};
        const std::uint32_t count = own.spans.take(blocks).count;
        for (std::uint32_t b = 0; b < count; ++b) fill_block(blocks[b], own.stride());
        for (std::uint32_t b = 0; b < count; ++b) {
          if (!still_filled(blocks[b], own.stride())) ++damaged;
        }
        own.spans.give(std::span(blocks).first(count), true);
        std::this_thread::yield();  // the lock is not fair: the purger would hardly have it
      }
    });
  }
  for (std::thread& user : users) user.join();
  stop = true;
  purger.join();
  EXPECT_EQ(damaged, 0);
  EXPECT_GT(purged, 0U);
}

}  // namespace
}  // namespace bufpool
