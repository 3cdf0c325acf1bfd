// SPDX-License-Identifier: MIT
// Tests that a process which has much in use keeps more idle than others.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "pool/options/policy.h"
#include "tests/unit/retained.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kShare = 3 * policy::kBudgetFloor;
const ClassIndex kPage = class_step(4096);
const ClassIndex kMiddle = class_step(64 << 10);
const ClassIndex kLarge = class_step(kMiB);

// Nothing goes back by its age.
class RetentionInUse : public testing::Test {
 protected:
  RetentionInUse() {
    Options options = default_options();
    options.retain_time = 600'000;
    options.retain_max = {.bytes = 64 * kMiB};
    own_ = std::make_unique<Retained>(PoolMode::kLocked, options);
  }
  std::uint64_t budget() const { return own_->retention.figures().budget; }

  std::unique_ptr<Retained> own_;
};

TEST_F(RetentionInUse, AShareOfItIsKeptIdle) {
  const std::vector<Block> blocks = own_->take_bytes(kLarge, kShare * policy::kBudgetInUseDivisor);
  own_->leave_idle(kMiddle, kShare);
  own_->take_bytes(kPage, kMiB);
  EXPECT_GE(budget(), kShare);
  EXPECT_GE(own_->retention.idle_bytes(), kShare - kMiB);
}

TEST_F(RetentionInUse, TheShareEndsWithTheUse) {
  const std::vector<Block> blocks = own_->take_bytes(kLarge, kShare * policy::kBudgetInUseDivisor);
  own_->retention.pass();
  EXPECT_GE(budget(), kShare);
  own_->put(kLarge, blocks);
  own_->cache.drainer().drain_all();
  own_->retention.pass();
  EXPECT_EQ(budget(), policy::kBudgetFloor);
}

}  // namespace
}  // namespace bufpool
