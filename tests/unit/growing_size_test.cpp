// SPDX-License-Identifier: MIT
#include "pool/blocks/growing_size.h"

#include <gtest/gtest.h>

namespace bufpool {
namespace {

TEST(GrowingSize, TellsTheMostAndWhetherItGrewAgain) {
  EXPECT_EQ(GrowingSize::once(5000).most(), 5000U);
  EXPECT_FALSE(GrowingSize::once(5000).grew_again());
  EXPECT_EQ(GrowingSize::again(5000).most(), 5000U);
  EXPECT_TRUE(GrowingSize::again(5000).grew_again());
}

TEST(GrowingSize, OutlivesTheWord) {
  for (const GrowingSize size : {GrowingSize::once(700), GrowingSize::again(700)}) {
    EXPECT_EQ(GrowingSize(size.word()).most(), 700U);
    EXPECT_EQ(GrowingSize(size.word()).grew_again(), size.grew_again());
    EXPECT_EQ(size.with_most(600).most(), 600U);
    EXPECT_EQ(size.with_most(600).grew_again(), size.grew_again());
  }
}

TEST(GrowingSize, GrowsOnOnlyWhereItGrewAgainAndShrinksNot) {
  EXPECT_FALSE(GrowingSize::once(5000).grows_on_to(6000));
  EXPECT_TRUE(GrowingSize::again(5000).grows_on_to(6000));
  EXPECT_TRUE(GrowingSize::again(5000).grows_on_to(5000));
  EXPECT_FALSE(GrowingSize::again(5000).grows_on_to(4999));
}

}  // namespace
}  // namespace bufpool
