// SPDX-License-Identifier: MIT
// Tests what goes back before a fork, and what a forked child leaves to its parent.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/unit/in_child.h"
#include "tests/unit/retained.h"

namespace bufpool {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
const ClassIndex kMiddle = class_step(64 << 10);
const ClassIndex kLarge = class_step(kMiB);

// Nothing goes back but by the rule that a test is about.
class RetentionAtFork : public testing::Test {
 protected:
  RetentionAtFork() {
    Options options = default_options();
    options.retain_time = 600'000;
    options.retain_max = {.bytes = 64 * kMiB};
    own_ = std::make_unique<Retained>(PoolMode::kLocked, options);
  }
  SpanCounters counters(ClassIndex c) { return own_->spans[to_number(c)].counters(); }
  std::uint64_t mapped() const { return own_->space.get()->mappings().bytes(); }

  std::unique_ptr<Retained> own_;
};

TEST_F(RetentionAtFork, WhatIsOverTheBudgetGoesBackAndIsUnmapped) {
  for (const ClassIndex c : {kMiddle, kLarge}) own_->leave_idle(c, 40 * kMiB);
  const std::uint64_t before = mapped();
  own_->retention.before_fork();
  const std::uint64_t idle = own_->retention.idle_bytes();
  EXPECT_LE(idle, policy::kBudgetFloor + 4 * kMiB) << "but for what the runs in use have besides";
  EXPECT_GT(idle, policy::kBudgetFloor / 2);
  EXPECT_LT(mapped() + 48 * kMiB, before);
}

TEST_F(RetentionAtFork, WithinTheBudgetAllStays) {
  own_->leave_idle(kMiddle, 6 * kMiB);
  const std::uint64_t idle = own_->retention.idle_bytes();
  const std::uint64_t before = mapped();
  for (int i = 0; i < 3; ++i) own_->retention.before_fork();
  EXPECT_EQ(own_->retention.idle_bytes(), idle);
  EXPECT_EQ(mapped(), before);
  EXPECT_EQ(own_->retention.figures().trims, 0U);
}

TEST_F(RetentionAtFork, WhatIsInUseStays) {
  const std::vector<Block> blocks = own_->take_bytes(kLarge, 32 * kMiB);
  for (const Block block : blocks) fill_block(block, stride_bytes(kLarge));
  own_->leave_idle(kMiddle, 40 * kMiB);
  own_->retention.before_fork();
  for (const Block block : blocks) EXPECT_TRUE(still_filled(block, stride_bytes(kLarge)));
  own_->put(kLarge, blocks);
}

// The record of what went back is gone with its run, and the budget still learns from it.
TEST_F(RetentionAtFork, WhatIsUnmappedAndNeededSoonIsRegretted) {
  own_->leave_idle(kLarge, 40 * kMiB);
  own_->retention.before_fork();
  EXPECT_EQ(counters(kLarge).regretted_bytes, 0U);
  const std::vector<Block> again = own_->take_bytes(kLarge, 40 * kMiB);
  EXPECT_GE(counters(kLarge).regretted_bytes, 24 * kMiB);
  EXPECT_LE(counters(kLarge).regretted_bytes, counters(kLarge).purged_bytes + kMiB);
  own_->put(kLarge, again);
  EXPECT_GE(own_->retention.figures().budget, 24 * kMiB);
}

TEST_F(RetentionAtFork, AChildSparesItsParentsPagesUntilItHasTakenAMebibyte) {
  own_->leave_idle(kLarge, 40 * kMiB);
  const int child = in_child([&] {
    own_->retention.repair_in_child();
    const std::uint64_t idle = own_->retention.idle_bytes();
    for (int i = 0; i < 15; ++i) own_->retention.after_fresh(64 << 10, 0);
    if (own_->retention.idle_bytes() != idle) return __LINE__ & 0xff;
    for (int i = 0; i < 2; ++i) own_->retention.after_fresh(64 << 10, 0);
    return own_->retention.idle_bytes() < idle ? 0 : __LINE__ & 0xff;
  });
  EXPECT_EQ(child, 0);
}

}  // namespace
}  // namespace bufpool
