// SPDX-License-Identifier: MIT
#include "pool/option_values.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "pool/bounded_text.h"
#include "pool/options.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = kKiB * kKiB;
constexpr std::uint64_t kGiB = kMiB * kKiB;
constexpr std::uint64_t kUntouched = 0xdecafbad;

using Parser = bool (*)(std::string_view, std::uint64_t&) noexcept;

struct Meaning {
  std::uint64_t value;
  std::vector<std::string_view> texts;
};

void expect_read(Parser parse, const std::vector<Meaning>& meanings) {
  for (const auto& [value, texts] : meanings) {
    for (const std::string_view text : texts) {
      std::uint64_t got = kUntouched;
      EXPECT_TRUE(parse(text, got)) << text;
      EXPECT_EQ(got, value) << text;
    }
  }
}

void expect_refused(Parser parse, const std::vector<std::string_view>& texts) {
  for (const std::string_view text : texts) {
    std::uint64_t got = kUntouched;
    EXPECT_FALSE(parse(text, got)) << '"' << text << '"';
    EXPECT_EQ(got, kUntouched) << '"' << text << '"';
  }
}

TEST(ParseBytes, ReadsEveryUnitInAnyCase) {
  expect_read(parse_bytes, {
                               {0, {"0", "00", "0G"}},
                               {7, {"7", "007"}},
                               {512, {"512"}},
                               {64 * kKiB, {"64k", "64K", "64kib", "64KiB", "64KIB", "65536"}},
                               {3 * kMiB, {"3m", "3M", "3mib", "3MiB", "3072K"}},
                               {2 * kGiB, {"2g", "2G", "2gIb", "2GiB", "2048M"}},
                               {17179869183U * kGiB, {"17179869183G"}},
                               {18446744073709551615U, {"18446744073709551615"}},
                               {kKiB, {"0000000000000000000000000000001K"}},
                           });
}

TEST(ParseBytes, RefusesWhatIsNotASize) {
  expect_refused(parse_bytes,
                 {"",    "K",    "64Q",  "64KB",   "64B", "64Ki",     "64iB", "64KK", "64T",
                  "1e3", "1.5M", "0x10", "-1",     "+1",  " 1",       "1 ",   "1 K",  "1K\n",
                  "1,",  "1K2",  "ten",  "64KiBs", "K64", "\xc2\xb2", "1_000"});
}

TEST(ParseBytes, RefusesWhatIsOver64Bits) {
  expect_refused(parse_bytes, {"18446744073709551616", "17179869184G", "20000000000G",
                               "18446744073709551615K", "99999999999999999999999999"});
}

TEST(ParseBytes, TextNeedNotEndInZero) {
  std::uint64_t value = 0;
  EXPECT_TRUE(parse_bytes(std::string_view("64KiB").substr(0, 3), value));
  EXPECT_EQ(value, 64 * kKiB);
  EXPECT_FALSE(parse_bytes(std::string_view("1\0", 2), value));
}

TEST(ParseDuration, ReadsEveryUnitInAnyCase) {
  expect_read(parse_duration, {
                                  {0, {"0", "0ms", "0m"}},
                                  {250, {"250", "250ms", "250MS"}},
                                  {10'000, {"10s", "10S", "10000"}},
                                  {300'000, {"5m", "5M", "300s"}},
                                  {18446744073709500000U, {"307445734561825m"}},
                              });
}

TEST(ParseDuration, RefusesWhatIsNotOne) {
  expect_refused(parse_duration, {"", "s", "1h", "1min", "1sec", "1.5s", "1 s", "-1s", "+1s", " 1s",
                                  "1K", "1m30s", "307445734561826m", "18446744073709551616"});
}

// No row is a duration yet.
TEST(DurationKind, HasARangeAndIsWrittenInTheLargestExactUnit) {
  const OptionInfo row{OptionKind::kDuration, "RETAIN_TIME", "10s", "100ms", "5m", ""};
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"100", "100ms"}, {"1500", "1500ms"}, {"60000", "1m"}, {"90s", "90s"}, {"120s", "2m"}};
  for (const auto& [given, written] : kCases) {
    std::uint64_t value = 0;
    EXPECT_EQ(read_duration(given, row, value), Verdict::kGood) << given;
    std::array<char, 32> out{};
    BoundedText text(out);
    write_duration(text, row, value);
    EXPECT_EQ(text.text(), written);
  }
  std::uint64_t value = kUntouched;
  for (const std::string_view given : {"99", "0", "301s", "6m", "99999999999999999999999"}) {
    EXPECT_EQ(read_duration(given, row, value), Verdict::kOutOfRange) << given;
  }
  EXPECT_EQ(read_duration("5h", row, value), Verdict::kBadValue);
  EXPECT_EQ(value, kUntouched);
}

struct ListCase {
  std::string_view list;
  std::vector<std::uint64_t> sizes;
  std::string_view left;
};

TEST(NextSize, TakesSizesToTheEndOrTheFirstThatIsNone) {
  const ListCase cases[] = {{"", {}, ""},
                            {"4K", {4 * kKiB}, ""},
                            {"4K,16K,1m", {4 * kKiB, 16 * kKiB, kMiB}, ""},
                            {"1,2,1", {1, 2, 1}, ""},
                            {",4K", {}, ",4K"},
                            {"4K,", {4 * kKiB}, ","},
                            {"4K,,16K", {4 * kKiB}, ",16K"},
                            {"4K,x,16K", {4 * kKiB}, "x,16K"},
                            {"4K, 16K", {4 * kKiB}, " 16K"},
                            {"4K;16K", {}, "4K;16K"},
                            {"1,20000000000G", {1}, "20000000000G"}};
  for (const ListCase& c : cases) {
    std::string_view list = c.list;
    std::vector<std::uint64_t> sizes;
    for (std::uint64_t size = 0; next_size(list, size);) sizes.push_back(size);
    EXPECT_EQ(sizes, c.sizes) << c.list;
    EXPECT_EQ(list, c.left) << c.list;
  }
}

}  // namespace
}  // namespace bufpool
