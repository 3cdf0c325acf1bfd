// SPDX-License-Identifier: MIT
#include "pool/options/option_values.h"
#include "pool/options/option_writers.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "pool/options/bounded_text.h"
#include "pool/options/options.h"

namespace bufpool {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = kKiB * kKiB;
constexpr std::uint64_t kGiB = kMiB * kKiB;
constexpr std::uint64_t kTiB = kGiB * kKiB;
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
                               {16 * kTiB, {"16t", "16T", "16tib", "16TiB", "16384G"}},
                               {17179869183U * kGiB, {"17179869183G"}},
                               {16777215U * kTiB, {"16777215T"}},
                               {18446744073709551615U, {"18446744073709551615"}},
                               {kKiB, {"0000000000000000000000000000001K"}},
                           });
}

TEST(ParseBytes, RefusesWhatIsNotASize) {
  expect_refused(parse_bytes,
                 {"",    "K",    "64Q",  "64KB",   "64B", "64Ki",     "64iB", "64KK", "64P",
                  "1e3", "1.5M", "0x10", "-1",     "+1",  " 1",       "1 ",   "1 K",  "1K\n",
                  "1,",  "1K2",  "ten",  "64KiBs", "K64", "\xc2\xb2", "1_000"});
}

TEST(ParseBytes, RefusesWhatIsOver64Bits) {
  expect_refused(parse_bytes, {"18446744073709551616", "16777216T", "17179869184G", "20000000000G",
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
                                  {7'200'000, {"2h", "2H", "120m"}},
                                  {18446744073709500000U, {"307445734561825m"}},
                              });
}

TEST(ParseDuration, RefusesWhatIsNotOne) {
  expect_refused(parse_duration, {"", "s", "1d", "1min", "1sec", "1.5s", "1 s", "-1s", "+1s", " 1s",
                                  "1K", "1m30s", "307445734561826m", "18446744073709551616"});
}

TEST(DurationKind, HasARangeAndIsWrittenInTheLargestExactUnit) {
  const OptionInfo row{OptionKind::kDuration, "RETAIN_TIME", "10s", "100ms", "2h", ""};
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"100", "100ms"}, {"1500", "1500ms"}, {"60000", "1m"}, {"90s", "90s"},
      {"120s", "2m"},   {"60m", "1h"},      {"90m", "90m"}};
  for (const auto& [given, written] : kCases) {
    std::uint64_t value = 0;
    EXPECT_EQ(read_duration(given, row, value), Verdict::kGood) << given;
    std::array<char, 32> out{};
    BoundedText text(out);
    write_duration(text, row, value);
    EXPECT_EQ(text.text(), written);
  }
  std::uint64_t value = kUntouched;
  for (const std::string_view given :
       {"99", "0", "7201s", "121m", "3h", "99999999999999999999999"}) {
    EXPECT_EQ(read_duration(given, row, value), Verdict::kOutOfRange) << given;
  }
  EXPECT_EQ(read_duration("5d", row, value), Verdict::kBadValue);
  EXPECT_EQ(value, kUntouched);
}

struct ShareCase {
  std::uint64_t bytes;
  std::uint32_t percent;
  std::string_view written;
  std::vector<std::string_view> texts;
};

constexpr OptionInfo kShareRow{OptionKind::kShare, "RETAIN_MAX", "auto", "0", "16T", ""};

void expect_share(const ShareCase& c, std::string_view given) {
  Share share{kUntouched, kUntouched};
  EXPECT_EQ(read_share(given, kShareRow, share), Verdict::kGood) << given;
  EXPECT_EQ(share.bytes, c.bytes) << given;
  EXPECT_EQ(share.percent, c.percent) << given;
  std::array<char, 32> out{};
  BoundedText text(out);
  write_share(text, kShareRow, share);
  EXPECT_EQ(text.text(), c.written) << given;
}

TEST(ShareKind, IsBytesOrAPercentageOrLeftToTheMachine) {
  const ShareCase cases[] = {
      {0, 0, "auto", {"auto", "AUTO", "Auto"}},
      {64 * kMiB, 0, "64M", {"64M", "64mib", "65536K", "67108864"}},
      {16 * kTiB, 0, "16T", {"16T", "16384G"}},
      {2, 0, "2", {"2"}},
      {0, 1, "1%", {"1%", "01%"}},
      {0, 25, "25%", {"25%"}},
      {0, 100, "100%", {"100%"}},
  };
  for (const ShareCase& c : cases) {
    for (const std::string_view given : c.texts) expect_share(c, given);
    expect_share(c, c.written);
  }
}

// Zero must not come out as auto, which would keep up to 64M.
TEST(ShareKind, OfNothingIsNotAuto) {
  const ShareCase nothing{1, 0, "0", {}};
  for (const std::string_view given : {"0", "00", "0G", "0%", "000%"}) expect_share(nothing, given);
}

TEST(ShareKind, RefusesWhatIsNotOne) {
  Share share{kUntouched, kUntouched};
  for (const std::string_view given : {"", "%", "25 %", "25%%", "-1%", "+1%", "2.5%", "1M%", "%25",
                                       "auto%", "autos", "aut", " auto", "64Q", "25p"}) {
    EXPECT_EQ(read_share(given, kShareRow, share), Verdict::kBadValue) << given;
  }
  for (const std::string_view given :
       {"101%", "4294967297%", "18446744073709551616%", "17T", "17592186044417", "20000000000G"}) {
    EXPECT_EQ(read_share(given, kShareRow, share), Verdict::kOutOfRange) << given;
  }
  EXPECT_EQ(share.bytes, kUntouched);
  EXPECT_EQ(share.percent, kUntouched);
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

struct WarmupCase {
  std::string_view list;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs;
  std::string_view left;
};

TEST(NextWarmup, TakesPairsToTheEndOrTheFirstThatIsNone) {
  const WarmupCase cases[] = {
      {"", {}, ""},
      {"64K:100", {{64 * kKiB, 100}}, ""},
      {"64K:100,1m:8,1m:8", {{64 * kKiB, 100}, {kMiB, 8}, {kMiB, 8}}, ""},
      {"1:1,0:1048576", {{1, 1}, {0, 1048576}}, ""},
      {",4K:1", {}, ",4K:1"},
      {"4K:1,", {{4 * kKiB, 1}}, ","},
      {"4K:1,,8K:1", {{4 * kKiB, 1}}, ",8K:1"},
      {"4K:1,8K:0", {{4 * kKiB, 1}}, "8K:0"},
      {"4K:1,8K:1048577,4K:1", {{4 * kKiB, 1}}, "8K:1048577,4K:1"},
      {"4K:1,20000000000G:1", {{4 * kKiB, 1}}, "20000000000G:1"},
      {"4K:1, 8K:1", {{4 * kKiB, 1}}, " 8K:1"},
  };
  for (const WarmupCase& c : cases) {
    std::string_view list = c.list;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs;
    std::uint64_t bytes = 0;
    std::uint64_t count = 0;
    while (next_warmup(list, bytes, count)) pairs.emplace_back(bytes, count);
    EXPECT_EQ(pairs, c.pairs) << c.list;
    EXPECT_EQ(list, c.left) << c.list;
  }
}

TEST(NextWarmup, RefusesHalfAPairAndTouchesNothing) {
  for (const std::string_view given :
       {"4K", "4K:", ":8", ":", "4K:8:1", "4K:8K", "4K:x", "x:8", "4K=8", "4K:-1", "4K: 8", "4K:0",
        "4K:1048577", "4K:18446744073709551616"}) {
    std::string_view list = given;
    std::uint64_t bytes = kUntouched;
    std::uint64_t count = kUntouched;
    EXPECT_FALSE(next_warmup(list, bytes, count)) << given;
    EXPECT_EQ(list, given);
    EXPECT_EQ(bytes, kUntouched) << given;
    EXPECT_EQ(count, kUntouched) << given;
  }
}

}  // namespace
}  // namespace bufpool
