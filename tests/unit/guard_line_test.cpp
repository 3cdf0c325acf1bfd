// SPDX-License-Identifier: MIT
#include "pool/addresses/guard_line.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <set>

#include "pool/platform/process.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kSecret = 0x9234567890abcdef;

class GuardLineTest : public testing::Test {
 protected:
  Block block(std::size_t i) { return reinterpret_cast<Block>(&lines_[i]); }

  std::array<GuardLine, 64> lines_{};
  Cookies cookies_{kSecret};
};

TEST_F(GuardLineTest, StateIsTheFirstWordOfTheBlock) {
  lines_[3].state = 7;
  lines_[3].link = 9;
  EXPECT_EQ(guard_line(block(3)).state, 7U);
  EXPECT_EQ(guard_line(block(3)).link, 9U);
  EXPECT_EQ(*reinterpret_cast<std::uint64_t*>(block(3)), 7U);
}

TEST_F(GuardLineTest, NoCookieIsTakenForAnother) {
  std::set<std::uint64_t> seen{0};
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    EXPECT_TRUE(seen.insert(cookies_.in_use(block(i))).second);
    EXPECT_TRUE(seen.insert(cookies_.free(block(i))).second);
    EXPECT_TRUE(seen.insert(cookies_.aligned_entry(block(i))).second);
    EXPECT_TRUE(seen.insert(cookies_.known_zero(block(i))).second);
    EXPECT_TRUE(seen.insert(cookies_.entered(block(i))).second);
    EXPECT_TRUE(seen.insert(cookies_.growing(block(i))).second);
  }
}

TEST_F(GuardLineTest, TheFreeCookieAndTheOneOfZeroMemoryAreFree) {
  lines_[0].state = cookies_.free(block(0));
  EXPECT_TRUE(cookies_.is_free(block(0)));
  lines_[0].state = cookies_.known_zero(block(0));
  EXPECT_TRUE(cookies_.is_free(block(0)));
}

// A word that anybody can write proves nothing.
TEST_F(GuardLineTest, ZeroIsNoCookie) {
  EXPECT_FALSE(cookies_.is_free(block(0)));
  EXPECT_FALSE(cookies_.is_in_use(block(0)));
}

TEST_F(GuardLineTest, OnlyAWordOfZeroIsNotedAsZero) {
  mark_known_zero(cookies_, block(0));
  EXPECT_EQ(lines_[0].state, cookies_.known_zero(block(0)));
  lines_[1].state = 7;
  mark_known_zero(cookies_, block(1));
  EXPECT_EQ(lines_[1].state, 7U);
}

TEST_F(GuardLineTest, NothingElseIsFree) {
  const std::uint64_t states[] = {cookies_.in_use(block(1)),  cookies_.aligned_entry(block(1)),
                                  cookies_.free(block(2)),    cookies_.known_zero(block(2)),
                                  cookies_.entered(block(1)), 1,
                                  ~std::uint64_t{0}};
  for (const std::uint64_t state : states) {
    lines_[1].state = state;
    EXPECT_FALSE(cookies_.is_free(block(1))) << state;
  }
}

TEST_F(GuardLineTest, AnotherSecretIsAnotherCookie) {
  const Cookies others(kSecret + 16);
  EXPECT_NE(others.in_use(block(0)), cookies_.in_use(block(0)));
  EXPECT_NE(others.free(block(0)), cookies_.free(block(0)));
}

// A word of a block in use must not read as zero, which is how purged memory reads. The secret has
// a bit that no user-space address has.
TEST_F(GuardLineTest, NoBlockInUseReadsAsZero) {
  const std::uint64_t secret = platform::process_secret();
  EXPECT_EQ(secret, platform::process_secret()) << "a process has one";
  EXPECT_EQ(secret >> 63, 1U);
  EXPECT_NE(Cookies(secret).in_use(std::uintptr_t{1} << 47), 0U);
}

}  // namespace
}  // namespace bufpool
