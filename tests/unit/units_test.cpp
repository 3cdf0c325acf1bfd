// SPDX-License-Identifier: MIT
#include "report/units.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "report/figures.h"
#include "tests/unit/sample_snapshots.h"

namespace bufpool {
namespace {

TEST(Units, RatesAreNotRoundedUp) {
  EXPECT_EQ(basis_points(999999, 1000000), 9999U);
  EXPECT_EQ(basis_points(kMost - (kMost >> 2), kMost), 7500U);
  EXPECT_EQ(basis_points(kMost, kMost), 10000U);
  EXPECT_EQ(basis_points(0, 0), 0U);
}

TEST(Units, ClassesHaveRoundNames) {
  const std::pair<std::uint64_t, std::string_view> names[] = {{512, "512"},
                                                              {640, "640"},
                                                              {kKiB, "1K"},
                                                              {1280, "1.25K"},
                                                              {16 * kKiB, "16K"},
                                                              {320 * kKiB, "320K"},
                                                              {kMiB, "1M"},
                                                              {1536 * kKiB, "1.5M"},
                                                              {1792 * kKiB, "1.75M"},
                                                              {14 * kMiB, "14M"},
                                                              {16 * kMiB, "16M"},
                                                              {1000, "1000"},
                                                              {16 * kKiB + 1, "16385"},
                                                              {1100 * kKiB, "1126400"}};
  for (const auto& [nominal, name] : names) EXPECT_EQ(class_name(nominal + 64).view(), name);
  EXPECT_EQ(class_name(64).view(), "64");
  EXPECT_EQ(class_name(0).view(), "0");
  EXPECT_EQ(class_name(kMost).view(), "18446744073709551551");
}

TEST(Units, BytesAndCounts) {
  EXPECT_EQ(human_bytes(0).view(), "0 B");
  EXPECT_EQ(human_bytes(1023).view(), "1023 B");
  EXPECT_EQ(human_bytes(kKiB).view(), "1.0 KiB");
  EXPECT_EQ(human_bytes(kMiB - 1).view(), "1023.9 KiB");
  EXPECT_EQ(human_bytes(12 * kMiB + 400 * kKiB).view(), "12.3 MiB");
  EXPECT_EQ(human_bytes(kMost).view(), "15.9 EiB");
  EXPECT_EQ(human_count(999'999'999'999).view(), "999999999999");
  EXPECT_EQ(human_count(kMost).view(), "18446744T");
  EXPECT_EQ(option_bytes(0).view(), "0");
  EXPECT_EQ(option_bytes(1000).view(), "1000");
}

TEST(Seconds, HaveMilliseconds) {
  EXPECT_EQ(seconds(0).view(), "0.000 s");
  EXPECT_EQ(seconds(12045).view(), "12.045 s");
}

}  // namespace
}  // namespace bufpool
