// SPDX-License-Identifier: MIT
#include "pool/state/deferred_blocks.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <thread>
#include <vector>

namespace bufpool {
namespace {

class DeferredBlocksTest : public testing::Test {
 protected:
  Block block(std::size_t i) { return Block{reinterpret_cast<std::uintptr_t>(&lines_[i])}; }

  std::vector<Block> take_all() {
    std::vector<Block> all;
    for (Block at = deferred_.take_all(); at != kNoBlock; at = DeferredBlocks::unlink(at)) {
      all.push_back(at);
    }
    return all;
  }

  std::array<GuardLine, 256> lines_{};
  DeferredBlocks deferred_;
};

TEST_F(DeferredBlocksTest, ThereIsNoneAtFirst) {
  EXPECT_EQ(deferred_.take_all(), kNoBlock);
  EXPECT_EQ(deferred_.count(), 0U);
}

TEST_F(DeferredBlocksTest, BlocksComeOutOnceAndTheirLinksAreCleared) {
  const std::array<Block, 3> first{block(0), block(1), block(2)};
  deferred_.add(first, true);
  const Block last = block(3);
  deferred_.add(std::span(&last, 1), false);
  EXPECT_EQ(deferred_.count(), 4U);
  EXPECT_EQ(deferred_.overflows(), 1U);
  const std::vector<Block> all = take_all();
  EXPECT_EQ(std::set<Block>(all.begin(), all.end()).size(), 4U);
  for (const Block at : all) EXPECT_EQ(guard_line(at).link, 0U);
  EXPECT_EQ(deferred_.note_collected(all.size()), 1U);
  EXPECT_EQ(deferred_.count(), 0U);
  EXPECT_EQ(deferred_.overflows(), 0U);
  EXPECT_EQ(deferred_.take_all(), kNoBlock);
}

TEST_F(DeferredBlocksTest, ThreadsLoseNone) {
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (std::size_t i = 0; i < 64; ++i) {
        const Block mine = block(t * 64 + i);
        deferred_.add(std::span(&mine, 1), i % 2 == 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<Block> all = take_all();
  EXPECT_EQ(std::set<Block>(all.begin(), all.end()).size(), lines_.size());
  EXPECT_EQ(deferred_.note_collected(all.size()), lines_.size() / 2);
}

}  // namespace
}  // namespace bufpool
