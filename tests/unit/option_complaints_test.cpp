// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pool/options/options.h"
#include "tests/unit/parsed_options.h"

namespace bufpool {
namespace {

using Kind = Complaint::Kind;

// It has one row, and values that are wrong for it in the same way.
struct WrongCase {
  std::string_view name;
  Kind kind;
  std::string_view sentence;  // after "BUFPOOL_name=value: "
  std::vector<std::string_view> values;
};

void expect_complaint(const WrongCase& c, std::string_view value) {
  const std::string entry = variable(c.name) + '=' + std::string(value);
  const Parsed parsed({entry});
  EXPECT_EQ(all_values(parsed.options), all_values(default_options()));
  EXPECT_EQ(parsed.options.set_mask, 0U);
  ASSERT_EQ(parsed.complaints.count, 1U);
  const Complaint& complaint = parsed.complaints.kept[0];
  EXPECT_EQ(complaint.kind, c.kind);
  EXPECT_EQ(complaint.name, variable(c.name));
  EXPECT_EQ(complaint.value, value);
  EXPECT_EQ(complaint.info, &option_list()[row_of(c.name)]);
  EXPECT_EQ(described(complaint), entry + ": " + std::string(c.sentence));
}

void expect_complaints(std::span<const WrongCase> cases) {
  for (const WrongCase& c : cases) {
    for (const std::string_view value : c.values) {
      SCOPED_TRACE(std::string(c.name) + '=' + std::string(value));
      expect_complaint(c, value);
    }
  }
}

TEST(WrongValue, LeavesTheDefaultAndIsComplainedOf) {
  const WrongCase cases[] = {
      {"DISABLE",
       Kind::kBadValue,
       "not a flag (0 or 1, true or false, yes or no, on or off); using 0",
       {"2", "10", "00", "y", "tru", "yess", " 1", "1 ", "enable", "-1"}},
      {"REPORT_MIN",
       Kind::kBadValue,
       "not auto or a plain number (such as 100); using auto",
       {"64K", "1e3", "-1", "+1", " 1", "1 ", "0x10", "1,000", "99999999999999999999999x"}},
      {"REPORT_MIN",
       Kind::kOutOfRange,
       "out of range (0 to 18446744073709551615); using auto",
       {"18446744073709551616", "99999999999999999999999"}},
      {"CPU_CACHE",
       Kind::kBadValue,
       "not auto or a size (such as 64M or 1G); using auto",
       {"64Q", "64KB", "1e3", "-1", "+1", " 1", "0x10", "M", "20000000000GB"}},
      {"CPU_CACHE",
       Kind::kOutOfRange,
       "out of range (64K to 16G); using auto",
       {"0", "1K", "65535", "17179869185", "17G", "20000000000G"}},
      {"MIN_SIZE", Kind::kOutOfRange, "out of range (512 to 1G); using 512", {"511", "1025M"}},
      {"MAX_SIZE", Kind::kOutOfRange, "out of range (512 to 1G); using 1G", {"511", "1025M"}},
      {"MODE",
       Kind::kBadValue,
       "not one of auto, rseq, locked; using auto",
       {"locke", "lockedd", "auto|rseq", "|", " rseq", "rseq ", "1"}},
      {"ONLY",
       Kind::kBadValue,
       "not a list of names (such as redis-*,php?); ignored",
       {",", "a,", ",a", "a,,b", "[ab]", "/usr/bin/a"}},
      {"CLASSES",
       Kind::kBadValue,
       "not a list of sizes (such as 4K,16K,64K); ignored",
       {",", "4K,", ",4K", "4K,,16K", "4K 16K", "4K, 16K", "4K;16K", "4K,16KB", "x"}},
      {"CLASSES",
       Kind::kOutOfRange,
       "out of range (512 to 1G); ignored",
       {"511", "4K,511", "1025M,4K", "4K,20000000000G"}},
  };
  expect_complaints(cases);
}

TEST(WrongValue, OfWhatIsKeptLeavesTheDefaultToo) {
  const WrongCase cases[] = {
      {"RETAIN_MAX",
       Kind::kBadValue,
       "not auto, a size or a percentage (such as 64M or 25%); using auto",
       {"64Q", "25 %", "%", "-5%", "automatic", "none"}},
      {"RETAIN_MAX",
       Kind::kOutOfRange,
       "out of range (0 to 16T, or 0% to 100%); using auto",
       {"101%", "17T", "17592186044417", "99999999999999999999%"}},
      {"RETAIN_CLASS_MAX",
       Kind::kBadValue,
       "not a size (such as 64M or 1G); using 0",
       {"25%", "auto"}},
      {"RETAIN_CLASS_MAX", Kind::kOutOfRange, "out of range (0 to 16T); using 0", {"17T"}},
      {"RETAIN_TIME",
       Kind::kBadValue,
       "not a duration (such as 500ms, 10s, 5m or 1h); using 10s",
       {"1d", "10 s", "s"}},
      {"RETAIN_TIME",
       Kind::kOutOfRange,
       "out of range (100ms to 24h); using 10s",
       {"0", "99", "25h", "1441m"}},
      {"TRIMMER", Kind::kBadValue, "not one of auto, on, off; using auto", {"1", "yes", "never"}},
      {"ZERO", Kind::kBadValue, "not one of off, free, alloc; using off", {"0", "1", "on"}},
      {"WARMUP",
       Kind::kBadValue,
       "not a list of SIZE:COUNT (such as 64K:100,1M:8); ignored",
       {"64K", "64K:", ":8", "64K:8,", ",64K:8", "64K:8,,1M:8", "64K:8:8", "64K:8K", "64K:8 1M:8",
        "20000000000G:x", "64K:8, 1M:8"}},
      {"WARMUP",
       Kind::kOutOfRange,
       "out of range (512 to 1G, 1 to 1048576 of each); ignored",
       {"511:1", "1025M:1", "64K:0", "64K:1048577", "64K:8,511:1", "64K:99999999999999999999",
        "20000000000G:1"}},
  };
  expect_complaints(cases);
}

struct UnknownCase {
  std::string_view name;
  std::string_view hint;  // empty: none
};

void PrintTo(const UnknownCase& c, std::ostream* out) { *out << c.name; }

class UnknownName : public testing::TestWithParam<UnknownCase> {};

TEST_P(UnknownName, IsComplainedOfWithTheNearest) {
  const std::string name = variable(GetParam().name);
  const Parsed parsed({name + "=off"});
  EXPECT_EQ(all_values(parsed.options), all_values(default_options()));
  ASSERT_EQ(parsed.complaints.count, 1U);
  const Complaint& complaint = parsed.complaints.kept[0];
  EXPECT_EQ(complaint.kind, Kind::kUnknownName);
  EXPECT_EQ(complaint.name, name);
  EXPECT_EQ(complaint.value, "off");
  std::string sentence = name + "=off: no such variable";
  if (GetParam().hint.empty()) {
    EXPECT_EQ(complaint.info, nullptr) << complaint.info->name;
  } else {
    ASSERT_NE(complaint.info, nullptr);
    EXPECT_EQ(complaint.info->name, GetParam().hint);
    sentence += "; did you mean " + variable(GetParam().hint) + '?';
  }
  EXPECT_EQ(described(complaint), sentence);
}

constexpr UnknownCase kUnknownNames[] = {
    {"REPROT", "REPORT"},
    {"REPOTR", "REPORT"},
    {"MDOE", "MODE"},  // neighbours swapped are one off: two would be half of the name
    {"DMOE", ""},
    {"DISABL", "DISABLE"},
    {"DISABLED", "DISABLE"},
    {"MIN_SISE", "MIN_SIZE"},
    {"MAXSIZE", "MAX_SIZE"},
    {"REPORT_FORAMTS", "REPORT_FORMAT"},
    {"REPORTFORMT", "REPORT_FORMAT"},
    {"report_min", "REPORT_MIN"},  // the case alone is wrong
    {"xMIN_SIZExx", "MIN_SIZE"},   // three off
    {"xMIN_SIZExxx", ""},          // four off
    {"MEDXX", ""},                 // MODE is three off, which is over half
    {"QQQQQ", ""},
    {"Q", ""},
    {"", ""},
    {"WHOLLY_DIFFERENT_AND_RATHER_LONG_NAME_OF_SOMETHING", ""},
};
INSTANTIATE_TEST_SUITE_P(All, UnknownName, testing::ValuesIn(kUnknownNames));

TEST(UnknownNameTest, OfAnyLengthIsRead) {
  const Parsed parsed({"BUFPOOL_" + std::string(100'000, 'R') + "=1"});
  ASSERT_EQ(parsed.complaints.count, 1U);
  EXPECT_EQ(parsed.complaints.kept[0].info, nullptr);
}

TEST(UnknownNameTest, OneLetterLessOfAnyRowIsHintedAt) {
  for (const OptionInfo& row : option_list()) {
    if (row.name.size() < 4) continue;
    const Parsed parsed({"BUFPOOL_" + std::string(row.name.substr(1)) + "=1"});
    if (parsed.complaints.count == 0) continue;  // another row has just that name
    ASSERT_NE(parsed.complaints.kept[0].info, nullptr) << row.name;
  }
}

TEST(Describe, KeepsToOneLineAndLeavesRoomForWhatIsWrong) {
  const Parsed lines({"BUFPOOL_MODE=a\nb\x1b[31m\x7f"});
  EXPECT_EQ(described(lines.complaints.kept[0]),
            "BUFPOOL_MODE=a?b?[31m?: not one of auto, rseq, locked; using auto");
  const Parsed length({"BUFPOOL_MODE=" + std::string(1000, 'x')});
  EXPECT_EQ(
      described(length.complaints.kept[0]),
      "BUFPOOL_MODE=" + std::string(64, 'x') + "...: not one of auto, rseq, locked; using auto");
}

TEST(Describe, CutsWhereItDoesNotFit) {
  const Parsed parsed({"BUFPOOL_MODE=fast"});
  const std::string whole = described(parsed.complaints.kept[0]);
  for (std::size_t room = 0; room <= whole.size() + 1; ++room) {
    std::vector<char> out(room + 1, '#');
    const std::string_view cut = describe(parsed.complaints.kept[0], {out.data(), room});
    EXPECT_EQ(cut, std::string_view(whole).substr(0, room));
    EXPECT_EQ(cut.data(), out.data());
    EXPECT_EQ(out[room], '#');
  }
  EXPECT_EQ(describe(parsed.complaints.kept[0], {}), "");
}

TEST(ReportEvery, IsToldWhatItNeeds) {
  const std::pair<std::vector<std::string>, std::string_view> cases[] = {
      {{}, "a file in BUFPOOL_REPORT"},
      {{"BUFPOOL_REPORT=STDERR"}, "a file in BUFPOOL_REPORT"},
      {{"BUFPOOL_REPORT=off"}, "a file in BUFPOOL_REPORT"},
      {{"BUFPOOL_REPORT=f", "BUFPOOL_REPORT_FORMAT=prometheus"},
       "BUFPOOL_REPORT_FORMAT=text or json"},
      {{"BUFPOOL_REPORT=f", "BUFPOOL_TRIMMER=off"}, "BUFPOOL_TRIMMER=auto or on"}};
  for (auto [entries, needs] : cases) {
    entries.insert(entries.begin(), "BUFPOOL_REPORT_EVERY=60s");
    const Parsed parsed(entries);
    ASSERT_EQ(parsed.complaints.count, 1U);
    EXPECT_EQ(parsed.options.report_every, 0U);
    EXPECT_EQ(described(parsed.complaints.kept[0]),
              "BUFPOOL_REPORT_EVERY=60s: needs " + std::string(needs) + "; using 0");
  }
  const Parsed good({"BUFPOOL_REPORT_EVERY=1h", "BUFPOOL_REPORT=f"});
  EXPECT_EQ(good.complaints.count, 0U);
  EXPECT_EQ(good.options.report_every, 3'600'000U);
}

TEST(Sample, IsToldThatItNeedsAPage) {
  const Parsed parsed({"BUFPOOL_SAMPLE=512K", "BUFPOOL_STATS=OFF"});
  ASSERT_EQ(parsed.complaints.count, 1U);
  EXPECT_EQ(parsed.options.sample, 0U);
  EXPECT_EQ(described(parsed.complaints.kept[0]),
            "BUFPOOL_SAMPLE=512K: needs BUFPOOL_STATS=auto, on or a folder; using off");
  const Parsed good({"BUFPOOL_SAMPLE=512K", "BUFPOOL_STATS=on"});
  EXPECT_EQ(good.complaints.count, 0U);
  EXPECT_EQ(good.options.sample, 512U << 10);
}

}  // namespace
}  // namespace bufpool
