// SPDX-License-Identifier: MIT
#include "pool/growing/growth.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace bufpool {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// Many buffers, each of which grows for the first time and then some part of them again.
void grow(Growth& growth, int buffers, int again_of_ten) {
  for (int i = 0; i < buffers; ++i) {
    growth.note_first();
    if (i % 10 < again_of_ten) growth.note_again();
  }
}

TEST(Growth, ExpectsNothingAtFirst) {
  const Growth growth;
  EXPECT_FALSE(growth.likely());
}

TEST(Growth, AFewThatGrewAgainProveNothing) {
  Growth growth;
  grow(growth, 3, 10);
  EXPECT_FALSE(growth.likely());
}

TEST(Growth, IsLikelyWhereMostGrewAgain) {
  Growth growth;
  grow(growth, 100, 9);
  EXPECT_TRUE(growth.likely());
}

TEST(Growth, IsNotLikelyWhereFewGrewAgain) {
  Growth growth;
  grow(growth, 100, 3);
  EXPECT_FALSE(growth.likely());
}

TEST(Growth, WhatChangesIsLearnedWithinTwoWindows) {
  Growth growth;
  grow(growth, 20'000, 10);
  ASSERT_TRUE(growth.likely());
  grow(growth, 2'100, 0);
  EXPECT_FALSE(growth.likely());
  grow(growth, 2'100, 10);
  EXPECT_TRUE(growth.likely());
}

TEST(Growth, RoomIsForTwoDoublingsAtLeast) {
  const Growth growth;
  EXPECT_EQ(growth.room_for(1000), 4000U);
  EXPECT_EQ(growth.room_for(5 * kMiB), 20 * kMiB);
}

TEST(Growth, RoomIsForTheWidestThatEnded) {
  Growth growth;
  for (const std::size_t size : {1000UL, 300'000UL, 20'000UL}) growth.note_end(size);
  EXPECT_EQ(growth.room_for(1000), 300'000U);
  EXPECT_EQ(growth.room_for(100'000), 400'000U);
}

TEST(Growth, OneWideBufferIsForgottenInTheEnd) {
  Growth growth;
  growth.note_end(16 * kMiB);
  grow(growth, 1'030, 10);  // it is in the window before this one
  EXPECT_EQ(growth.room_for(1000), 16 * kMiB);
  for (int i = 0; i < 22; ++i) {
    growth.note_end(5000);
    grow(growth, 100, 10);
  }
  EXPECT_EQ(growth.room_for(1000), 5000U);
}

}  // namespace
}  // namespace bufpool
