// SPDX-License-Identifier: MIT
#include "pool/platform/clock.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <time.h>

#include <cstdint>

#include "pool/platform/safe_calls.h"
#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

using platform::fine_nanoseconds;

std::uint64_t nanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

TEST(Clock, IsTheKernels) {
  const std::uint64_t before = nanoseconds(CLOCK_MONOTONIC);
  const std::uint64_t seen = fine_nanoseconds();
  EXPECT_GE(seen, before);
  EXPECT_LE(seen, nanoseconds(CLOCK_MONOTONIC));
}

TEST(Clock, IsReadFromMemoryOnceAFilterIsExpected) {
  EXPECT_EQ(in_child([] {
              platform::expect_filter();
              const std::uint64_t before = nanoseconds(CLOCK_MONOTONIC_COARSE);
              const std::uint64_t seen = fine_nanoseconds();
              if (seen < before || seen > nanoseconds(CLOCK_MONOTONIC_COARSE)) return __LINE__;
#ifdef PR_SET_TSC
              // The hardware's clock is out of reach from here on.
              if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0 && fine_nanoseconds() < seen) {
                return __LINE__;
              }
#endif
              return 0;
            }),
            0);
}

}  // namespace
}  // namespace bufpool
