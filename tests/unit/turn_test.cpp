// SPDX-License-Identifier: MIT
#include "interpose/messages/turn.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace bufpool {
namespace {

TEST(Turn, ComesAgainWhenGiven) {
  Turn turn;
  ASSERT_TRUE(turn.take());
  turn.give();
  EXPECT_TRUE(turn.take());
}

// A handler that interrupted it would wait for itself.
TEST(Turn, IsNotWaitedForByItsOwner) {
  Turn turn;
  ASSERT_TRUE(turn.take());
  EXPECT_FALSE(turn.take());
  turn.give();
  EXPECT_TRUE(turn.take());
}

TEST(Turn, IsOneThreadsAtATime) {
  Turn turn;
  constexpr int kRounds = 2000;
  int count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        while (!turn.take()) {
        }
        ++count;
        turn.give();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 3 * kRounds);
}

TEST(Turn, OfAThreadThatIsGoneIsGivenUp) {
  Turn turn;
  std::thread([&turn] { EXPECT_TRUE(turn.take()); }).join();
  bool taken = true;
  std::thread([&] { taken = turn.take(); }).join();
  EXPECT_FALSE(taken);
  turn.reset();
  EXPECT_TRUE(turn.take());
}

}  // namespace
}  // namespace bufpool
