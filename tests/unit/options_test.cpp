// SPDX-License-Identifier: MIT
// Tests the parser. Rows are added to options.def all the time: nothing here counts them, and a
// value is only expected of a row by name.
#include "pool/options/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
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
  EXPECT_EQ(rows[row_of("RETAIN_MAX")].kind, OptionKind::kShare);
  EXPECT_EQ(rows[row_of("RETAIN_TIME")].kind, OptionKind::kDuration);
  EXPECT_EQ(rows[row_of("WARMUP")].kind, OptionKind::kWarmup);
  EXPECT_EQ(rows[row_of("MODE")].kind, OptionKind::kChoice);
  EXPECT_EQ(rows[row_of("CLASSES")].kind, OptionKind::kSizes);
  EXPECT_EQ(rows[row_of("REPORT")].kind, OptionKind::kText);
}

TEST(OptionList, EnumsFollowTheWords) {
  EXPECT_EQ(Parsed({"BUFPOOL_MODE=auto"}).options.mode, ModeChoice::kAuto);
  EXPECT_EQ(Parsed({"BUFPOOL_MODE=rseq"}).options.mode, ModeChoice::kRseq);
  EXPECT_EQ(Parsed({"BUFPOOL_MODE=locked"}).options.mode, ModeChoice::kLocked);
  EXPECT_EQ(Parsed({"BUFPOOL_TRIMMER=auto"}).options.trimmer, TrimmerChoice::kAuto);
  EXPECT_EQ(Parsed({"BUFPOOL_TRIMMER=on"}).options.trimmer, TrimmerChoice::kOn);
  EXPECT_EQ(Parsed({"BUFPOOL_TRIMMER=off"}).options.trimmer, TrimmerChoice::kOff);
  EXPECT_EQ(Parsed({"BUFPOOL_ZERO=off"}).options.zero, ZeroChoice::kOff);
  EXPECT_EQ(Parsed({"BUFPOOL_ZERO=free"}).options.zero, ZeroChoice::kFree);
  EXPECT_EQ(Parsed({"BUFPOOL_ZERO=alloc"}).options.zero, ZeroChoice::kAlloc);
  const std::pair<std::string, ReportForm> formats[] = {{"text", ReportForm::kText},
                                                        {"json", ReportForm::kJson},
                                                        {"prometheus", ReportForm::kPrometheus}};
  for (const auto& [word, format] : formats) {
    const Parsed parsed({"BUFPOOL_REPORT_FORMAT=" + word});
    EXPECT_EQ(parsed.options.report_format, format) << word;
  }
}

TEST(Defaults, AreThoseOfTheList) {
  const Options options = default_options();
  EXPECT_FALSE(options.disable);
  EXPECT_EQ(options.min_size, 512U);
  EXPECT_EQ(options.max_size, 1024 * kMiB);
  EXPECT_EQ(options.classes, "");
  EXPECT_EQ(options.report, "stderr");
  EXPECT_EQ(options.retain_max.bytes, 0U);
  EXPECT_EQ(options.retain_max.percent, 0U);
  EXPECT_EQ(options.retain_class_max, 0U);
  EXPECT_EQ(options.retain_time, 10'000U);
  EXPECT_EQ(options.max_buffers, 0U);
  EXPECT_EQ(options.trimmer, TrimmerChoice::kAuto);
  EXPECT_TRUE(options.pressure);
  EXPECT_EQ(options.warmup, "");
  EXPECT_EQ(options.zero, ZeroChoice::kOff);
  EXPECT_EQ(options.hugepages, HugePagesChoice::kAuto);
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

// It has one row, and values that all mean the same to it.
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
      {"MAX_SIZE", "1G", {"1G", "1024M", "1073741824"}},
      {"MAX_SIZE", "512", {"512"}},
      {"MAX_SIZE", "1536K", {"1536k", "1572864"}},
      {"CPU_CACHE", "auto", {"auto", "AUTO"}},
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
      {"RETAIN_MAX", "auto", {"auto", "AUTO"}},
      {"RETAIN_MAX", "64M", {"64M", "65536K"}},
      {"RETAIN_MAX", "16T", {"16T", "16TiB", "16384G"}},
      {"RETAIN_MAX", "25%", {"25%", "025%"}},
      {"RETAIN_MAX", "100%", {"100%"}},
      {"RETAIN_MAX", "0", {"0", "0%", "0M"}},
      {"RETAIN_CLASS_MAX", "0", {"0"}},
      {"RETAIN_CLASS_MAX", "16T", {"16T"}},
      {"RETAIN_TIME", "100ms", {"100ms", "100"}},
      {"RETAIN_TIME", "90s", {"90s", "90000"}},
      {"RETAIN_TIME", "1440m", {"1440m", "86400s"}},
      {"MAX_BUFFERS", "18446744073709551615", {"18446744073709551615"}},
      {"TRIMMER", "off", {"off", "OFF"}},
      {"PRESSURE", "0", {"0", "off"}},
      {"WARMUP", "64K:100,1M:8", {"64K:100,1M:8"}},
      {"WARMUP", "512:1,16MiB:1048576", {"512:1,16MiB:1048576"}},
      {"ZERO", "free", {"free", "Free"}},
      {"HUGEPAGES", "on", {"on", "On"}},
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
  // Quiet is for the code that prints. The complaints are there all the same, in the order given.
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
  EXPECT_EQ(parsed.options.max_size, 1024 * kMiB);
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
