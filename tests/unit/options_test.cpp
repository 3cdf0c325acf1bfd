// SPDX-License-Identifier: MIT
// Rows are added to options.def all the time: nothing here counts them, and a value is only
// expected of a row by name.
#include "pool/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/parsed_options.h"

namespace bufpool {
namespace {

using Kind = Complaint::Kind;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = kKiB * kKiB;

bool was_set(const Options& options, std::string_view name) {
  return (options.set_mask >> row_of(name) & 1) != 0;
}

TEST(OptionList, IsWellFormed) {
  const auto rows = option_list();
  ASSERT_FALSE(rows.empty());
  for (const OptionInfo& row : rows) {
    EXPECT_FALSE(row.name.empty());
    EXPECT_FALSE(row.sentence.empty()) << row.name;
    EXPECT_EQ(row.sentence.back(), '.') << row.name;
    const auto same = [&row](const OptionInfo& other) { return other.name == row.name; };
    EXPECT_EQ(std::count_if(rows.begin(), rows.end(), same), 1) << row.name;
    EXPECT_EQ(row.name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), std::string_view::npos);
  }
}

TEST(OptionList, KindsAreThoseOfTheirRows) {
  const auto rows = option_list();
  EXPECT_EQ(rows[row_of("DISABLE")].kind, OptionKind::kFlag);
  EXPECT_EQ(rows[row_of("REPORT_MIN")].kind, OptionKind::kCount);
  EXPECT_EQ(rows[row_of("MIN_SIZE")].kind, OptionKind::kBytes);
  EXPECT_EQ(rows[row_of("MODE")].kind, OptionKind::kChoice);
  EXPECT_EQ(rows[row_of("CLASSES")].kind, OptionKind::kSizes);
  EXPECT_EQ(rows[row_of("REPORT")].kind, OptionKind::kText);
}

TEST(OptionList, EnumsFollowTheWords) {
  EXPECT_EQ(Parsed({"BUFPOOL_MODE=auto"}).options.mode, std::uint32_t(ModeChoice::kAuto));
  EXPECT_EQ(Parsed({"BUFPOOL_MODE=rseq"}).options.mode, std::uint32_t(ModeChoice::kRseq));
  EXPECT_EQ(Parsed({"BUFPOOL_MODE=locked"}).options.mode, std::uint32_t(ModeChoice::kLocked));
  const std::pair<std::string, ReportFormat> formats[] = {
      {"text", ReportFormat::kText},
      {"json", ReportFormat::kJson},
      {"prometheus", ReportFormat::kPrometheus}};
  for (const auto& [word, format] : formats) {
    const Parsed parsed({"BUFPOOL_REPORT_FORMAT=" + word});
    EXPECT_EQ(parsed.options.report_format, std::uint32_t(format)) << word;
  }
}

TEST(Defaults, AreThoseOfTheList) {
  const Options options = default_options();
  EXPECT_FALSE(options.disable);
  EXPECT_EQ(options.min_size, 512U);
  EXPECT_EQ(options.max_size, 16 * kMiB);
  EXPECT_EQ(options.classes, "");
  EXPECT_EQ(options.report, "stderr");
  EXPECT_EQ(options.set_mask, 0U);
}

TEST(Defaults, CanBeGivenAsListedAndAsShown) {
  for (std::size_t row = 0; row < option_list().size(); ++row) {
    const OptionInfo& info = option_list()[row];
    const std::string shown = effective(default_options(), row);
    for (const std::string& value : {std::string(info.default_value), shown}) {
      const Parsed parsed({variable(info.name) + '=' + value});
      EXPECT_EQ(parsed.complaints.count, 0U) << info.name << '=' << value;
      EXPECT_EQ(effective(parsed.options, row), shown) << info.name << '=' << value;
      EXPECT_EQ(was_set(parsed.options, info.name), !value.empty()) << info.name;
    }
  }
}

TEST(Defaults, AreLeftByAnEnvironmentOfOthers) {
  const std::vector<std::vector<std::string>> environments = {
      {},
      {"PATH=/bin", "HOME=/"},
      {"bufpool_MIN_SIZE=1K", "XBUFPOOL_MIN_SIZE=1K", "BUFPOOL=1", "BUFPOO=1", "", "="},
      {"BUFPOOL_MIN_SIZE", "BUFPOOL_"},  // no '=': not a variable
      {"BUFPOOL_MIN_SIZE=", "BUFPOOL_MODE=", "BUFPOOL_CLASSES=", "BUFPOOL_REPORT=",
       "BUFPOOL_DISABLE=", "BUFPOOL_REPORT_MIN="}};
  for (const auto& environment : environments) {
    const Parsed parsed(environment);
    EXPECT_EQ(all_values(parsed.options), all_values(default_options()));
    EXPECT_EQ(parsed.options.set_mask, 0U);
    EXPECT_EQ(parsed.complaints.count, 0U);
  }
}

TEST(Defaults, AreWhatNoEnvironmentGives) {
  Complaints complaints;
  const Options options = parse_options(nullptr, complaints);
  EXPECT_EQ(all_values(options), all_values(default_options()));
  EXPECT_EQ(complaints.count, 0U);
}

// One row, and values that all mean the same to it.
struct GoodCase {
  std::string_view name;
  std::string_view in_force;
  std::vector<std::string_view> values;
};

void expect_in_force(const GoodCase& c, std::string_view value) {
  const std::size_t row = row_of(c.name);
  const Parsed parsed({"A=b", variable(c.name) + '=' + std::string(value), "C=d"});
  EXPECT_EQ(parsed.complaints.count, 0U);
  EXPECT_EQ(parsed.options.set_mask, std::uint64_t{1} << row);
  auto expected = all_values(default_options());
  expected[row] = c.in_force;
  EXPECT_EQ(all_values(parsed.options), expected);
}

TEST(GoodValue, IsInForceAndCanBeReadAgain) {
  const GoodCase cases[] = {
      {"DISABLE", "1", {"1", "true", "TRUE", "True", "yes", "yEs", "on", "ON"}},
      {"DISABLE", "0", {"0", "false", "False", "no", "nO", "off", "OFF"}},
      {"QUIET", "1", {"1", "on"}},
      {"STRICT", "1", {"1", "yes"}},
      {"MIN_SIZE", "512", {"512", "0512"}},
      {"MIN_SIZE", "1K", {"1024", "1k", "1KiB"}},
      {"MIN_SIZE", "1025", {"1025"}},
      {"MIN_SIZE", "16M", {"16M", "16mib", "16384K", "16777216"}},
      {"MAX_SIZE", "512", {"512"}},
      {"MAX_SIZE", "1536K", {"1536k", "1572864"}},
      {"CPU_CACHE", "64K", {"64K", "64kib", "65536"}},
      {"CPU_CACHE", "16G", {"16g", "16GiB", "16384M", "17179869184"}},
      {"REPORT_MIN", "0", {"0", "00"}},
      {"REPORT_MIN", "4096", {"4096"}},
      {"REPORT_MIN", "18446744073709551615", {"18446744073709551615"}},
      {"MODE", "auto", {"auto", "Auto"}},
      {"MODE", "rseq", {"rseq", "RSEQ"}},
      {"MODE", "locked", {"locked", "lockeD"}},
      {"REPORT_FORMAT", "prometheus", {"prometheus", "Prometheus"}},
      {"CLASSES", "4K", {"4K"}},
      {"CLASSES", "512,4k,16MiB", {"512,4k,16MiB"}},
      {"REPORT", "off", {"off"}},
      {"REPORT", "/tmp/a=b %p", {"/tmp/a=b %p"}},
      {"REPORT", " ", {" "}},
  };
  for (const GoodCase& c : cases) {
    for (const std::string_view value : c.values) {
      SCOPED_TRACE(std::string(c.name) + '=' + std::string(value));
      expect_in_force(c, value);
    }
    expect_in_force(c, c.in_force);
  }
}

// One row, and values that are wrong for it in the same way.
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

TEST(WrongValue, LeavesTheDefaultAndIsComplainedOf) {
  const WrongCase cases[] = {
      {"DISABLE",
       Kind::kBadValue,
       "not a flag (0 or 1, true or false, yes or no, on or off); using 0",
       {"2", "10", "00", "y", "tru", "yess", " 1", "1 ", "enable", "-1"}},
      {"REPORT_MIN",
       Kind::kBadValue,
       "not a plain number (such as 100); using 100",
       {"64K", "1e3", "-1", "+1", " 1", "1 ", "0x10", "1,000", "99999999999999999999999x"}},
      {"REPORT_MIN",
       Kind::kOutOfRange,
       "out of range (0 to 18446744073709551615); using 100",
       {"18446744073709551616", "99999999999999999999999"}},
      {"CPU_CACHE",
       Kind::kBadValue,
       "not a size (such as 64M or 1G); using 32M",
       {"64Q", "64KB", "1e3", "-1", "+1", " 1", "0x10", "M", "20000000000GB"}},
      {"CPU_CACHE",
       Kind::kOutOfRange,
       "out of range (64K to 16G); using 32M",
       {"0", "1K", "65535", "17179869185", "17G", "20000000000G"}},
      {"MIN_SIZE", Kind::kOutOfRange, "out of range (512 to 16M); using 512", {"511", "17M"}},
      {"MAX_SIZE", Kind::kOutOfRange, "out of range (512 to 16M); using 16M", {"511", "17M"}},
      {"MODE",
       Kind::kBadValue,
       "not one of auto, rseq, locked; using auto",
       {"locke", "lockedd", "auto|rseq", "|", " rseq", "rseq ", "1"}},
      {"CLASSES",
       Kind::kBadValue,
       "not a list of sizes (such as 4K,16K,64K); ignored",
       {",", "4K,", ",4K", "4K,,16K", "4K 16K", "4K, 16K", "4K;16K", "4K,16KB", "x"}},
      {"CLASSES",
       Kind::kOutOfRange,
       "out of range (512 to 16M); ignored",
       {"511", "4K,511", "17M,4K", "4K,20000000000G"}},
  };
  for (const WrongCase& c : cases) {
    for (const std::string_view value : c.values) {
      SCOPED_TRACE(std::string(c.name) + '=' + std::string(value));
      expect_complaint(c, value);
    }
  }
}

TEST(Environment, FirstOfANameCounts) {
  const Parsed good({"BUFPOOL_MIN_SIZE=1K", "BUFPOOL_MIN_SIZE=2K", "BUFPOOL_MIN_SIZE=x"});
  EXPECT_EQ(good.options.min_size, kKiB);
  EXPECT_EQ(good.complaints.count, 0U);

  const Parsed bad({"BUFPOOL_MIN_SIZE=x", "BUFPOOL_MIN_SIZE=2K"});
  EXPECT_EQ(bad.options.min_size, 512U);
  EXPECT_EQ(bad.complaints.count, 1U);
  EXPECT_FALSE(was_set(bad.options, "MIN_SIZE"));

  const Parsed empty({"BUFPOOL_MIN_SIZE=", "BUFPOOL_MIN_SIZE=2K"});
  EXPECT_EQ(empty.options.min_size, 512U);
  EXPECT_EQ(empty.complaints.count, 0U);
}

TEST(Environment, GoodAndWrongOnesDoNotDisturbEachOther) {
  const Parsed parsed({"BUFPOOL_MODE=what", "BUFPOOL_MIN_SIZE=4K", "BUFPOOL_REPROT=off",
                       "BUFPOOL_QUIET=1", "BUFPOOL_CPU_CACHE=1", "BUFPOOL_STRICT=on"});
  EXPECT_EQ(parsed.options.min_size, 4 * kKiB);
  EXPECT_TRUE(parsed.options.quiet);
  EXPECT_TRUE(parsed.options.strict);
  for (const std::string_view name : {"MIN_SIZE", "QUIET", "STRICT"}) {
    EXPECT_TRUE(was_set(parsed.options, name)) << name;
  }
  for (const std::string_view name : {"MODE", "CPU_CACHE", "REPORT"}) {
    EXPECT_FALSE(was_set(parsed.options, name)) << name;
  }
  // Quiet is for who prints: the complaints are there all the same, in the order given.
  ASSERT_EQ(parsed.complaints.count, 3U);
  EXPECT_EQ(parsed.complaints.kept[0].kind, Kind::kBadValue);
  EXPECT_EQ(parsed.complaints.kept[1].kind, Kind::kUnknownName);
  EXPECT_EQ(parsed.complaints.kept[2].kind, Kind::kOutOfRange);
}

TEST(Environment, TextIsAViewIntoIt) {
  const Parsed parsed({"BUFPOOL_REPORT=/tmp/report"});
  const std::string& entry = parsed.entries[0];
  EXPECT_EQ(parsed.options.report.data(),
            entry.c_str() + std::string_view("BUFPOOL_REPORT=").size());
}

TEST(Environment, ComplaintsBeyondThoseKeptAreCounted) {
  for (const std::size_t wrong :
       {Complaints::kKept - 1, Complaints::kKept, Complaints::kKept + 1, Complaints::kKept + 100}) {
    std::vector<std::string> entries;
    for (std::size_t i = 0; i < wrong; ++i) {
      entries.push_back("BUFPOOL_QQQQQQ" + std::to_string(i) + "=1");
    }
    const Parsed parsed(entries);
    EXPECT_EQ(parsed.complaints.count, wrong);
    for (std::size_t i = 0; i < std::min(wrong, Complaints::kKept); ++i) {
      EXPECT_EQ(parsed.complaints.kept[i].name, "BUFPOOL_QQQQQQ" + std::to_string(i));
    }
  }
}

TEST(SizeRange, UpsideDownGoesBackToBothDefaults) {
  for (const bool min_first : {true, false}) {
    std::vector<std::string> entries{"BUFPOOL_MIN_SIZE=8M", "BUFPOOL_MAX_SIZE=4M"};
    if (!min_first) std::swap(entries[0], entries[1]);
    const Parsed parsed(entries);
    EXPECT_EQ(all_values(parsed.options), all_values(default_options()));
    EXPECT_EQ(parsed.options.set_mask, 0U);
    ASSERT_EQ(parsed.complaints.count, 1U);
    EXPECT_EQ(parsed.complaints.kept[0].kind, Kind::kOutOfRange);
    EXPECT_EQ(parsed.complaints.kept[0].info, &option_list()[row_of("MIN_SIZE")]);
    EXPECT_EQ(described(parsed.complaints.kept[0]),
              "BUFPOOL_MIN_SIZE=8M: out of range (512 to BUFPOOL_MAX_SIZE); using the defaults "
              "of both");
  }
}

TEST(SizeRange, OfOneSizeIsARange) {
  const Parsed parsed({"BUFPOOL_MIN_SIZE=4M", "BUFPOOL_MAX_SIZE=4096K"});
  EXPECT_EQ(parsed.complaints.count, 0U);
  EXPECT_EQ(parsed.options.min_size, parsed.options.max_size);
}

TEST(SizeRange, WithAWrongEndIsComplainedOfOnce) {
  const Parsed parsed({"BUFPOOL_MIN_SIZE=8M", "BUFPOOL_MAX_SIZE=4Q"});
  EXPECT_EQ(parsed.complaints.count, 1U);
  EXPECT_EQ(parsed.options.min_size, 8 * kMiB);
  EXPECT_EQ(parsed.options.max_size, 16 * kMiB);
}

TEST(EffectiveValue, CutsWhereItDoesNotFit) {
  std::array<char, 4> out{'#', '#', '#', '#'};
  const Options options = default_options();
  EXPECT_EQ(effective_value(options, row_of("REPORT"), std::span(out).first(3)), "std");
  EXPECT_EQ(out[3], '#');
  EXPECT_EQ(effective_value(options, row_of("REPORT"), {}), "");
}

TEST(EffectiveValue, OfNoRowIsEmpty) {
  std::array<char, 16> out{};
  EXPECT_EQ(effective_value(default_options(), option_list().size(), out), "");
}

}  // namespace
}  // namespace bufpool
