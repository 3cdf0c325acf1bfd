// SPDX-License-Identifier: MIT
// Tests which idle memory goes back first.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "pool/options/policy.h"
#include "pool/platform/clock.h"
#include "tests/unit/in_child.h"
#include "tests/unit/retained.h"

namespace bufpool {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::uint32_t kGiveUpMs = 60'000;

std::uint32_t now() { return static_cast<std::uint32_t>(platform::coarse_milliseconds()); }

// With these options nothing goes back but by the rule of fresh pages.
Options patient() {
  Options options = default_options();
  options.retain_time = 600'000;
  options.retain_max = {.bytes = 64 * kMiB};
  return options;
}

class RetentionOrder : public testing::TestWithParam<PoolMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, RetentionOrder, testing::Values(PoolMode::kRseq, PoolMode::kLocked),
                         [](const auto& mode) {
                           return mode.param == PoolMode::kRseq ? "rseq" : "locked";
                         });

// What lies in partly used spans for policy::kScatteredMs goes back as well, whatever is older. So
// a try counts only if it took no longer.
TEST_P(RetentionOrder, TheOldestGoesFirst) {
  const ClassIndex first = class_step(64 << 10);
  const ClassIndex second = class_step(4096);
  if (kThreadSanitizer && GetParam() == PoolMode::kRseq) {
    GTEST_SKIP() << "ThreadSanitizer does not understand restartable sequences";
  }
  for (const std::uint32_t start = now(); now() - start < kGiveUpMs;) {
    Retained own(GetParam(), patient());
    if (own.mode != GetParam()) GTEST_SKIP() << "no restartable sequences here";
    own.leave_idle(first, 10 * kMiB);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    const std::uint32_t left = now();
    own.leave_idle(second, 10 * kMiB);
    const std::uint64_t young = own.idle(second);
    const std::uint64_t old = own.idle(first);
    for (int i = 0; i < 4; ++i) ASSERT_NE(own.take(class_step(kMiB)), kNoBlock);
    if (now() - left >= policy::kScatteredMs) continue;
    EXPECT_EQ(own.idle(second), young);
    EXPECT_LE(own.idle(first) + 3 * kMiB, old);
    return;
  }
  GTEST_SKIP() << "the machine is too busy";
}

}  // namespace
}  // namespace bufpool
