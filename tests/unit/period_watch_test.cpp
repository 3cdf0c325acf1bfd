// SPDX-License-Identifier: MIT
#include "report/period_watch.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/sample_snapshots.h"

namespace bufpool {
namespace {

std::string looked(PeriodWatch& watch, const Snapshot& snapshot, std::uint64_t uptime_ms,
                   ReportForm form = ReportForm::kText) {
  ReportContext context = kContext;
  context.uptime_ms = uptime_ms;
  std::string lines;
  auto add = [&lines](std::string_view line) { lines.append(line).append("\n"); };
  watch.look(snapshot, context, form, add);
  return lines;
}

Snapshot with(std::uint64_t gets, std::uint64_t misses) {
  Snapshot snapshot = empty_snapshot();
  snapshot.classes[7] = sample_class(64 * kKiB, gets, misses);
  return snapshot;
}

TEST(PeriodWatch, WarnsOfManyMisses) {
  PeriodWatch watch;
  EXPECT_EQ(looked(watch, with(2002, 1001), 60000),
            "bufpool[4711 redis-server]: warning: class 64K: hit rate 50.00% with 1001 misses in "
            "the last 60.000 s\n");
}

TEST(PeriodWatch, FewMissesAreNoWarning) {
  PeriodWatch few;
  EXPECT_EQ(looked(few, with(1001, 1000), 1000), "");
  PeriodWatch rare;
  EXPECT_EQ(looked(rare, with(40000, 2000), 1000), "");
  PeriodWatch frequent;
  EXPECT_NE(looked(frequent, with(39999, 2001), 1000), "");
}

TEST(PeriodWatch, CountsFromTheLastLook) {
  PeriodWatch watch;
  EXPECT_NE(looked(watch, with(5000, 5000), 60000), "");
  EXPECT_EQ(looked(watch, with(6000, 6000), 120000), "");
  EXPECT_NE(looked(watch, with(7001, 7001), 121500).find("with 1001 misses in the last 1.500 s"),
            std::string::npos);
}

TEST(PeriodWatch, AForkedChildCountsFromZero) {
  PeriodWatch watch;
  EXPECT_NE(looked(watch, with(5000, 5000), 60000), "");
  EXPECT_NE(looked(watch, with(4000, 2000), 10000).find("with 2000 misses in the last 10.000 s"),
            std::string::npos);
}

// Its counters may be beyond those of its parent's last look by then.
TEST(PeriodWatch, AForkedChildThatMissesOftenCountsFromZero) {
  PeriodWatch watch;
  EXPECT_NE(looked(watch, with(5000, 5000), 60000), "");
  Snapshot child = with(6000, 6000);
  ++child.pid;
  EXPECT_NE(looked(watch, child, 61000).find("with 6000 misses in the last 61.000 s"),
            std::string::npos);
}

TEST(PeriodWatch, IsAnObjectInJson) {
  PeriodWatch watch;
  const std::string line = looked(watch, with(2002, 1001), 60000, ReportForm::kJson);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["pid"], 4711);
  EXPECT_EQ(json["warning"], "class 64K: hit rate 50.00% with 1001 misses in the last 60.000 s");
}

TEST(PeriodWatch, LinesAreShort) {
  PeriodWatch watch;
  const Snapshot largest = largest_snapshot();
  auto check = [](std::string_view line) { EXPECT_LT(line.size(), kLongestLine); };
  watch.look(largest, kContext, ReportForm::kText, check);
}

}  // namespace
}  // namespace bufpool
