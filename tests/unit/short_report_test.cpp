// SPDX-License-Identifier: MIT
// The short form of the report at exit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "report/class_table.h"
#include "report/report.h"
#include "tests/unit/sample_snapshots.h"

namespace bufpool {
namespace {

using testing::IsNotSubstring;
using testing::IsSubstring;

constexpr std::size_t kMostLines = 12;

ReportContext short_context() {
  ReportContext context = kContext;
  context.detail = ReportDetail::kShort;
  return context;
}

std::string text_of(const Snapshot& snapshot) {
  return rendered(snapshot, short_context(), ReportForm::kText);
}

std::size_t lines_of(const Snapshot& snapshot) {
  const std::string text = text_of(snapshot);
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// Ten classes, of which each has more gets than the one before.
Snapshot ten_classes() {
  Snapshot snapshot = empty_snapshot();
  for (std::size_t i = 0; i < 10; ++i) {
    snapshot.classes[i] = sample_class((i + 1) * kKiB, 1000 * (i + 1), 1);
  }
  return snapshot;
}

TEST(ShortReport, LooksAsItDid) {
  Snapshot snapshot = sample_snapshot();
  for (std::size_t i = 5; i < 10; ++i) snapshot.classes[i] = sample_class(i * 4 * kMiB, 20, 1);
  const std::string report = text_of(snapshot);
  const std::string path = std::string(BUFPOOL_GOLDEN_DIR) + "/report_short.txt";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << report;
  std::stringstream golden;
  golden << std::ifstream(path).rdbuf();
  EXPECT_EQ(report, golden.str());
}

TEST(ShortReport, HasTwelveLinesAtMost) {
  EXPECT_EQ(lines_of(empty_snapshot()), 5U);
  EXPECT_EQ(lines_of(ten_classes()), kMostLines - 1);
  EXPECT_LE(lines_of(sample_snapshot()), kMostLines);
  EXPECT_EQ(lines_of(largest_snapshot()), kMostLines);
}

TEST(ShortReport, NoLineIsCut) {
  ReportContext context = short_context();
  context.command = std::string_view("a command of which no more than its beginning is shown");
  auto check = [](std::string_view line) { EXPECT_LT(line.size(), kLongestLine) << line; };
  for (Snapshot snapshot : {sample_snapshot(), largest_snapshot(), empty_snapshot()}) {
    snapshot.pid = 4294967295;
    render(snapshot, context, ReportForm::kText, check);
  }
}

// The longest advice fits behind the words in front of it.
TEST(ShortReport, TellsAllFindingsThatThereIsRoomFor) {
  Snapshot snapshot = empty_snapshot();
  snapshot.classes[0] = sample_class(4 * kKiB, 10, 1);
  snapshot.classes[0].fallbacks = 1000000;
  EXPECT_PRED_FORMAT2(IsSubstring, "what to change: 1000000 requests", text_of(snapshot));
  EXPECT_PRED_FORMAT2(IsSubstring, "addresses were used up\n", text_of(snapshot));
  EXPECT_PRED_FORMAT2(IsNotSubstring, "more, which", text_of(snapshot));
}

TEST(ShortReport, SaysHowManyFindingsItLeavesOut) {
  Snapshot snapshot = ten_classes();
  snapshot.mode = PoolMode::kLocked;
  snapshot.trimmer = 3;
  snapshot.passed_above = 1001;
  const std::string text = text_of(snapshot);
  EXPECT_PRED_FORMAT2(IsSubstring, "what to change: mode locked", text);
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "what to change: 2 more, which BUFPOOL_REPORT_DETAIL=full shows\n", text);
}

TEST(ShortReport, SaysHowManyClassesTheSumsAreOf) {
  EXPECT_PRED_FORMAT2(IsSubstring, " all 10 ", text_of(ten_classes()));
  EXPECT_PRED_FORMAT2(IsSubstring, "   all ", text_of(sample_snapshot()));
}

TEST(ShortReport, IsTheTextFormOnly) {
  for (const ReportForm form : {ReportForm::kJson, ReportForm::kPrometheus}) {
    EXPECT_EQ(rendered(sample_snapshot(), short_context(), form),
              rendered(sample_snapshot(), kContext, form));
  }
}

TEST(DearestClasses, AreAllWhereTheyAreFew) {
  const ShownClasses rows = dearest_classes(sample_snapshot(), 5);
  EXPECT_EQ(rows.count, 4U);
  EXPECT_EQ(rows.live, 4U);
  EXPECT_FALSE(rows.shown[1]);
  EXPECT_EQ(dearest_classes(empty_snapshot(), 5).count, 0U);
}

TEST(DearestClasses, AreThoseWithTheMostGets) {
  const ShownClasses rows = dearest_classes(ten_classes(), 5);
  EXPECT_EQ(rows.count, 5U);
  EXPECT_EQ(rows.live, 10U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(rows.shown[i], i >= 5) << i;
}

TEST(DearestClasses, AMissCountsAsAHundredHits) {
  Snapshot snapshot = ten_classes();
  snapshot.classes[0].hits = 0;
  snapshot.classes[0].misses = 59;
  EXPECT_FALSE(dearest_classes(snapshot, 5).shown[0]);
  snapshot.classes[0].misses = 100;
  EXPECT_TRUE(dearest_classes(snapshot, 5).shown[0]);
  snapshot.classes[0].misses = 0;
  snapshot.classes[0].fallbacks = 100;
  EXPECT_TRUE(dearest_classes(snapshot, 5).shown[0]);
}

}  // namespace
}  // namespace bufpool
