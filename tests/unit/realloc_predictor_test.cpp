// SPDX-License-Identifier: MIT
#include "pool/growing/realloc_predictor.h"

#include <gtest/gtest.h>

#include <cstddef>

namespace bufpool {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// Grows many buffers for the first time, and then a part of them again.
void grow(ReallocPredictor& predictor, int buffers, int again_of_ten) {
  for (int i = 0; i < buffers; ++i) {
    predictor.note_first();
    if (i % 10 < again_of_ten) predictor.note_again();
  }
}

TEST(ReallocPredictor, ExpectsNothingAtFirst) {
  const ReallocPredictor predictor;
  EXPECT_FALSE(predictor.likely());
}

TEST(ReallocPredictor, AFewThatGrewAgainProveNothing) {
  ReallocPredictor predictor;
  grow(predictor, 3, 10);
  EXPECT_FALSE(predictor.likely());
}

TEST(ReallocPredictor, IsLikelyWhereMostGrewAgain) {
  ReallocPredictor predictor;
  grow(predictor, 100, 9);
  EXPECT_TRUE(predictor.likely());
}

TEST(ReallocPredictor, IsNotLikelyWhereFewGrewAgain) {
  ReallocPredictor predictor;
  grow(predictor, 100, 3);
  EXPECT_FALSE(predictor.likely());
}

TEST(ReallocPredictor, WhatChangesIsLearnedWithinTwoWindows) {
  ReallocPredictor predictor;
  grow(predictor, 20'000, 10);
  ASSERT_TRUE(predictor.likely());
  grow(predictor, 2'100, 0);
  EXPECT_FALSE(predictor.likely());
  grow(predictor, 2'100, 10);
  EXPECT_TRUE(predictor.likely());
}

TEST(ReallocPredictor, RoomIsForTwoDoublingsAtLeast) {
  const ReallocPredictor predictor;
  EXPECT_EQ(predictor.room_for(1000), 4000U);
  EXPECT_EQ(predictor.room_for(5 * kMiB), 20 * kMiB);
}

TEST(ReallocPredictor, RoomIsForTheWidestThatEnded) {
  ReallocPredictor predictor;
  for (const std::size_t size : {1000UL, 300'000UL, 20'000UL}) predictor.note_end(size);
  EXPECT_EQ(predictor.room_for(1000), 300'000U);
  EXPECT_EQ(predictor.room_for(100'000), 400'000U);
}

TEST(ReallocPredictor, OneWideBufferIsForgottenInTheEnd) {
  ReallocPredictor predictor;
  predictor.note_end(16 * kMiB);
  grow(predictor, 1'030, 10);  // it is in the window before this one
  EXPECT_EQ(predictor.room_for(1000), 16 * kMiB);
  for (int i = 0; i < 22; ++i) {
    predictor.note_end(5000);
    grow(predictor, 100, 10);
  }
  EXPECT_EQ(predictor.room_for(1000), 5000U);
}

}  // namespace
}  // namespace bufpool
