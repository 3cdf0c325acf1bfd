// SPDX-License-Identifier: MIT
#include "pool/options/name_patterns.h"

#include <gtest/gtest.h>

#include <string>

namespace bufpool {
namespace {

TEST(MatchesPattern, IsOfTheWholeName) {
  EXPECT_TRUE(matches_pattern("redis-server", "redis-server"));
  EXPECT_FALSE(matches_pattern("redis-server", "redis"));
  EXPECT_FALSE(matches_pattern("redis", "redis-server"));
  EXPECT_FALSE(matches_pattern("Redis", "redis"));
  EXPECT_TRUE(matches_pattern("", ""));
  EXPECT_FALSE(matches_pattern("", "?"));
}

TEST(MatchesPattern, AStarStandsForAnyCharacters) {
  for (const char* pattern : {"*", "redis-*", "*server", "r*s*r", "**", "redis-server*", "*-*"}) {
    EXPECT_TRUE(matches_pattern("redis-server", pattern)) << pattern;
  }
  for (const char* pattern : {"redis-*x", "*redis", "r*x*r", "*serve"}) {
    EXPECT_FALSE(matches_pattern("redis-server", pattern)) << pattern;
  }
  EXPECT_TRUE(matches_pattern("", "*"));
  EXPECT_TRUE(matches_pattern("abcabd", "*abd"));
}

TEST(MatchesPattern, AQuestionMarkStandsForOne) {
  EXPECT_TRUE(matches_pattern("php8", "php?"));
  EXPECT_FALSE(matches_pattern("php", "php?"));
  EXPECT_FALSE(matches_pattern("php82", "php?"));
  EXPECT_TRUE(matches_pattern("php82", "php?*"));
}

TEST(MatchesPattern, TakesLittleTimeForManyStars) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(matches_pattern(std::string(1000, 'a') + 'b', pattern));
}

TEST(MatchesAny, IsOfAList) {
  EXPECT_TRUE(matches_any("nginx", "redis-*,nginx"));
  EXPECT_TRUE(matches_any("redis-cli", "redis-*,nginx"));
  EXPECT_FALSE(matches_any("bash", "redis-*,nginx"));
  EXPECT_FALSE(matches_any("bash", ""));
}

}  // namespace
}  // namespace bufpool
