// SPDX-License-Identifier: MIT
#include "report/report_target.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace bufpool {
namespace {

using Kind = ReportTarget::Kind;

constexpr TargetNames kNames{42, "redis-server", 1700000000};

// Returns the file name that `setting` expands to. A setting that is no file fails the test.
std::string path_of(std::string_view setting, const TargetNames& names = kNames) {
  std::array<char, 256> buffer;
  buffer.fill('x');
  const ReportTarget target = report_target(setting, names, buffer);
  EXPECT_EQ(target.kind, Kind::kFile) << setting;
  return target.kind == Kind::kFile ? target.path : "";
}

Kind kind_of(std::string_view setting, std::size_t size = 256) {
  std::vector<char> buffer(size);
  const ReportTarget target = report_target(setting, kNames, buffer);
  EXPECT_EQ(target.path != nullptr, target.kind == Kind::kFile) << setting;
  return target.kind;
}

TEST(ReportTarget, WordsInAnyCaseChooseStderrOrNothing) {
  EXPECT_EQ(kind_of("stderr"), Kind::kStderr);
  EXPECT_EQ(kind_of("STDERR"), Kind::kStderr);
  EXPECT_EQ(kind_of("off"), Kind::kOff);
  EXPECT_EQ(kind_of("Off"), Kind::kOff);
}

TEST(ReportTarget, NothingCountsAsNotSet) { EXPECT_EQ(kind_of(""), Kind::kStderr); }

TEST(ReportTarget, EverythingElseIsAFile) {
  EXPECT_EQ(path_of("/tmp/report"), "/tmp/report");
  EXPECT_EQ(path_of("./off"), "./off");
  EXPECT_EQ(path_of("offer"), "offer");
  EXPECT_EQ(path_of("of"), "of");
  EXPECT_EQ(path_of("stdout"), "stdout");
}

TEST(ReportTarget, PercentWordsAreExpanded) {
  EXPECT_EQ(path_of("/tmp/%c.%p.%t"), "/tmp/redis-server.42.1700000000");
  EXPECT_EQ(path_of("%p%p"), "4242");
  EXPECT_EQ(path_of("100%%"), "100%");
  EXPECT_EQ(path_of("%%p"), "%p");
}

TEST(ReportTarget, NumbersMayBeTheLargest) {
  const TargetNames names{std::numeric_limits<std::uint32_t>::max(), "a",
                          std::numeric_limits<std::uint64_t>::max()};
  EXPECT_EQ(path_of("%p %t", names), "4294967295 18446744073709551615");
}

TEST(ReportTarget, UnknownWordsAreRefused) {
  EXPECT_EQ(kind_of("/tmp/%d"), Kind::kUnknownWord);
  EXPECT_EQ(kind_of("/tmp/%P"), Kind::kUnknownWord);
  EXPECT_EQ(kind_of("/tmp/%"), Kind::kUnknownWord);
}

TEST(ReportTarget, ACommandCannotLeaveTheFolder) {
  EXPECT_EQ(path_of("/tmp/%c", {1, "../../etc/passwd", 0}), "/tmp/_._.._etc_passwd");
  EXPECT_EQ(path_of("/tmp/%c/x", {1, "..", 0}), "/tmp/_./x");
  EXPECT_EQ(path_of("/tmp/%c", {1, "kworker/0:1", 0}), "/tmp/kworker_0:1");
  EXPECT_EQ(path_of("/tmp/%c", {1, std::string_view("a\n\0b\x7f", 5), 0}), "/tmp/a__b_");
}

TEST(ReportTarget, ACommandKeepsWhatIsNotAscii) {
  EXPECT_EQ(path_of("%c", {1, "caf\xc3\xa9", 0}), "caf\xc3\xa9");
}

TEST(ReportTarget, NoCommandStillMakesAName) { EXPECT_EQ(path_of("%c", {1, "", 0}), "unknown"); }

TEST(ReportTarget, ANameThatDoesNotFitIsRefused) {
  EXPECT_EQ(kind_of("/tmp/abc", 9), Kind::kFile);
  EXPECT_EQ(kind_of("/tmp/abc", 8), Kind::kTooLong);
  EXPECT_EQ(kind_of("%p", 2), Kind::kTooLong);
  EXPECT_EQ(kind_of("a", 0), Kind::kTooLong);
  EXPECT_EQ(kind_of(std::string(10000, 'a')), Kind::kTooLong);
}

TEST(ReportTarget, NothingIsWrittenBeyondTheBuffer) {
  std::array<char, 8> memory;
  memory.fill('x');
  const auto target = report_target("/tmp/%c", kNames, std::span(memory).first(6));
  EXPECT_EQ(target.kind, Kind::kTooLong);
  EXPECT_EQ(memory[6], 'x');
  EXPECT_EQ(memory[7], 'x');
}

}  // namespace
}  // namespace bufpool
