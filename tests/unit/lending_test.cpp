// SPDX-License-Identifier: MIT
#include "pool/growing/lending.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "pool/options/policy.h"
#include "tests/unit/retained.h"

namespace bufpool {
namespace {

constexpr ClassIndex kClass = class_step(64 << 10);
constexpr ClassIndex kSmaller = class_step(48 << 10);
constexpr std::uint64_t kTooMuch = std::uint64_t{1} << 50;

// Half of this budget is less than what is lent freely.
Options with_small_budget() {
  Options options = default_options();
  options.retain_max = {.bytes = policy::kLentFreely};
  return options;
}

class LendingTest : public testing::Test {
 protected:
  LendingTest() { lending_.open(&retained_.retention, marks_); }

  Block block() { return Block{reinterpret_cast<std::uintptr_t>(memory_.data())}; }

  const BlockMarks marks_{Cookies(0x123456789abcdef0)};
  Retained retained_{PoolMode::kLocked, with_small_budget()};
  Lending lending_;

 private:
  alignas(64) std::array<unsigned char, 2 * kLine> memory_{};
};

TEST_F(LendingTest, LittleIsLentFreelyAndMuchIsNot) {
  EXPECT_TRUE(lending_.allows(policy::kLentFreely));
  EXPECT_FALSE(lending_.allows(kTooMuch));
}

TEST_F(LendingTest, RoomIsLentUntilTheBufferComesBack) {
  marks_.mark_growing(block(), GrowingSize::once(5000));
  lending_.note_room(block(), kClass, kTooMuch);
  EXPECT_EQ(lent_bytes(block()), kTooMuch);
  EXPECT_FALSE(lending_.allows(1));
  lending_.end(block(), kClass, marks_.state(block()));
  EXPECT_TRUE(lending_.allows(policy::kLentFreely));
}

TEST_F(LendingTest, ABufferThatShrankIsLentItsTailWhileThatIsAllowed) {
  marks_.mark_growing(block(), GrowingSize::once(5000));
  lending_.note_room(block(), kClass, 0);
  EXPECT_TRUE(lending_.lends_room(block(), kClass, policy::kLentFreely - 100));
  EXPECT_TRUE(lending_.lends_room(block(), kClass, policy::kLentFreely)) << "100 more";
  EXPECT_FALSE(lending_.allows(1));
  EXPECT_TRUE(lending_.lends_room(block(), kClass, 1)) << "it was lent more before";
  EXPECT_FALSE(lending_.lends_room(block(), kClass, kTooMuch));
  EXPECT_EQ(lent_bytes(block()), policy::kLentFreely);
  lending_.end(block(), kClass, marks_.state(block()));
  EXPECT_TRUE(lending_.allows(policy::kLentFreely));
}

TEST_F(LendingTest, AClassWithoutAWordForItLendsNoRoom) {
  EXPECT_FALSE(lending_.lends_room(block(), class_step(600), 100));
}

TEST_F(LendingTest, ABorrowedBlockLendsWhatTheClassesDifferBy) {
  lending_.note_borrowed(block(), kClass, kSmaller);
  EXPECT_EQ(marks_.state(block()), BlockState::kBorrowed);
  EXPECT_EQ(lent_bytes(block()), stride_bytes(kClass) - stride_bytes(kSmaller));
  EXPECT_FALSE(lending_.allows(policy::kLentFreely)) << "some of it is lent";
  lending_.end(block(), kClass, BlockState::kBorrowed);
  EXPECT_TRUE(lending_.allows(policy::kLentFreely));
}

TEST_F(LendingTest, APlainBufferWasLentNothing) {
  lent_bytes(block()) = kTooMuch;  // a word that means nothing
  marks_.mark_in_use(block());
  lending_.end(block(), kClass, marks_.state(block()));
  EXPECT_TRUE(lending_.allows(policy::kLentFreely));
}

}  // namespace
}  // namespace bufpool
