// SPDX-License-Identifier: MIT
#include "pool/sampling/sampled_buffers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

namespace bufpool {
namespace {

class SampledBuffersTest : public testing::Test {
 protected:
  void SetUp() override { words_.open(records_.get()); }

  static Block block(std::uint64_t number) { return Block{0x7000'0000'0000 + number * 4160}; }

  // Returns whether there was a record for it.
  bool add(std::uint64_t number) {
    StatsSampledBuffer* const record = buffers_.claim(block(number));
    if (record != nullptr) buffers_.add(*record, block(number), {number, number + 1, number + 2});
    return record != nullptr;
  }

  std::size_t used() const {
    const auto& all = records_->buffers;
    return static_cast<std::size_t>(std::count_if(
        std::begin(all), std::end(all), [](const auto& record) { return record.block != 0; }));
  }

  std::unique_ptr<StatsSamples> records_ = std::make_unique<StatsSamples>();
  SampleWords words_;
  SampledBuffers buffers_{words_};
};

TEST_F(SampledBuffersTest, RemovesWhatWasAdded) {
  ASSERT_TRUE(add(5));
  EXPECT_FALSE(buffers_.remove(block(6)));
  const auto sample = buffers_.remove(block(5));
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->asked, 5U);
  EXPECT_EQ(sample->taken_ns, 6U);
  EXPECT_EQ(sample->stack, 7U);
  EXPECT_FALSE(buffers_.remove(block(5))) << "it is removed once";
  EXPECT_EQ(used(), 0U);
}

TEST_F(SampledBuffersTest, AFullSetTakesNoMore) {
  std::size_t added = 0;
  bool refused = false;
  for (std::uint64_t i = 0; i < 4 * kStatsSampledBuffers; ++i) {
    const bool taken = add(i);
    added += taken ? 1 : 0;
    refused |= !taken;
  }
  EXPECT_TRUE(refused);
  EXPECT_EQ(used(), added);
  EXPECT_GT(added, kStatsSampledBuffers * 9 / 10) << "blocks are spread over all sets";
  std::size_t removed = 0;
  for (std::uint64_t i = 0; i < 4 * kStatsSampledBuffers; ++i) {
    removed += buffers_.remove(block(i)).has_value() ? 1 : 0;
  }
  EXPECT_EQ(removed, added);
  EXPECT_EQ(used(), 0U);
}

// A fork may cut off a thread that has claimed a record and not filled it.
TEST_F(SampledBuffersTest, AClaimThatIsCutOffCostsOneRecord) {
  ASSERT_NE(buffers_.claim(block(1)), nullptr);
  EXPECT_FALSE(buffers_.remove(block(1)));
  EXPECT_TRUE(add(1));
  EXPECT_TRUE(buffers_.remove(block(1)));
  EXPECT_EQ(used(), 1U);
}

TEST_F(SampledBuffersTest, RacingThreadsTakeNothingFromEachOther) {
  constexpr std::uint64_t kTimes = 20000;
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> wrong{0};
  for (std::uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (std::uint64_t n = 0; n < kTimes; ++n) {
        const std::uint64_t mine = n % 50 * 4 + i;
        if (!add(mine)) continue;
        const auto sample = buffers_.remove(block(mine));
        if (!sample || sample->asked != mine || sample->stack != mine + 2) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(used(), 0U);
}

}  // namespace
}  // namespace bufpool
