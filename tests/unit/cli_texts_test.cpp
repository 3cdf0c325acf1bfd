// SPDX-License-Identifier: MIT
// The texts that the command reads and writes: sizes, times, control groups, mappings, histograms.
#include <gtest/gtest.h>

#include <string>

#include "cli/figures/sums.h"
#include "cli/loading/latency.h"
#include "cli/loading/workload.h"
#include "cli/pages/page_mapping.h"
#include "cli/processes/proc_files.h"
#include "cli/processes/process_info.h"
#include "cli/steering/library.h"
#include "cli/texts/sizes.h"
#include "cli/texts/table.h"

namespace bufpool {
namespace {

std::uint64_t bytes_of(const std::string& text) {
  std::uint64_t bytes = 0;
  return parse_size(text, bytes) ? bytes : ~std::uint64_t{0};
}

std::uint64_t milliseconds_of(const std::string& text) {
  std::uint64_t time = 0;
  return parse_duration(text, time) ? time : ~std::uint64_t{0};
}

constexpr std::uint64_t kNone = ~std::uint64_t{0};

TEST(Texts, SizesAreThoseOfTheVariables) {
  EXPECT_EQ(bytes_of("64K"), 64U << 10);
  EXPECT_EQ(bytes_of("64kib"), 64U << 10);
  EXPECT_EQ(bytes_of("1.5M"), 3U << 19);
  EXPECT_EQ(bytes_of("1000"), 1000U);
  EXPECT_EQ(bytes_of("2G"), std::uint64_t{2} << 30);
  for (const char* wrong : {"", "K", "-1", "64Q", "1e3", "0x10", " 1", "1 K", "nan", "inf",
                            "99999999999T", "64KK", "+1"}) {
    EXPECT_EQ(bytes_of(wrong), kNone) << wrong;
  }
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{640}, std::uint64_t{65536},
                                    std::uint64_t{3} << 19, std::uint64_t{5} << 30}) {
    EXPECT_EQ(bytes_of(size_text(bytes)), bytes);
  }
}

TEST(Texts, FlagsAreThoseOfTheVariables) {
  bool is_on = false;
  for (const char* on : {"1", "true", "yes", "on", "ON"}) {
    EXPECT_TRUE(parse_flag(on, is_on) && is_on) << on;
  }
  for (const char* off : {"0", "false", "no", "off", "No"}) {
    EXPECT_TRUE(parse_flag(off, is_on) && !is_on) << off;
  }
  for (const char* wrong : {"", "2", "y", "01", "on "}) EXPECT_FALSE(parse_flag(wrong, is_on));
}

TEST(Texts, TimesHaveUnits) {
  EXPECT_EQ(milliseconds_of("500ms"), 500U);
  EXPECT_EQ(milliseconds_of("2"), 2000U);
  EXPECT_EQ(milliseconds_of("0.5s"), 500U);
  EXPECT_EQ(milliseconds_of("1m"), 60'000U);
  EXPECT_EQ(milliseconds_of("1d"), kNone);
  EXPECT_EQ(duration_text(1500), "1500ms");
  EXPECT_EQ(duration_text(2000), "2s");
  EXPECT_EQ(short_time(5'999), "5s");
  EXPECT_EQ(short_time(192'000), "3m12s");
  EXPECT_EQ(short_time(7'500'000), "2h05m");
  EXPECT_EQ(short_time(356'400'000), "4d03h");
}

TEST(Texts, ColumnsAreShort) {
  EXPECT_EQ(short_bytes(1023), "1023");
  EXPECT_EQ(short_bytes(12'600), "12.3K");
  EXPECT_EQ(short_bytes(std::uint64_t{200} << 20), "200M");
  EXPECT_EQ(short_bytes(kNone), "16.0E");
  EXPECT_EQ(short_count(999), "999");
  EXPECT_EQ(short_count(12'345), "12.3k");
  EXPECT_EQ(percent_text(1, 0), "-");
  EXPECT_EQ(percent_text(1, 3), "33.3");
  EXPECT_EQ(percent_text(3, 3), "100.0");
}

TEST(Texts, UnitsAndContainersHaveNames) {
  const std::string number(64, 'a');
  const std::string shown(12, 'a');
  EXPECT_EQ(unit_of("0::/system.slice/redis.service\n"), "redis.service");
  EXPECT_EQ(unit_of("0::/system.slice/redis.service/worker\n"), "redis.service");
  EXPECT_EQ(unit_of("0::/system.slice/docker-" + number + ".scope\n"), "docker:" + shown);
  EXPECT_EQ(unit_of("4:memory:/docker/" + number + "\n0::/\n"), "docker:" + shown);
  EXPECT_EQ(unit_of("0::/kubepods/burstable/pod1-2/" + number + "\n"), "kubernetes:" + shown);
  EXPECT_EQ(unit_of("0::/a.slice/cri-containerd-" + number + ".scope"), "cri-containerd:" + shown);
  EXPECT_EQ(unit_of("0::/user.slice/session-3.scope\n"), "session-3.scope");
  EXPECT_EQ(unit_of("0::/x\x1b[2J.service\n"), "x?[2J.service");
  EXPECT_EQ(unit_of("0::/\n"), "-");
  EXPECT_EQ(unit_of(""), "-");
}

TEST(Texts, PagesAreFoundAmongMappings) {
  const std::string other = "7f00-7f10 rw-s 00000000 00:01 5    /memfd:other (deleted)\n";
  const auto memory =
      find_page_mapping(other + "7f20-7f30 rw-s 00000000 00:01 6   /memfd:bufpool-stats (deleted)");
  ASSERT_TRUE(memory.has_value());
  EXPECT_EQ(memory->start, 0x7f20U);
  EXPECT_EQ(memory->end, 0x7f30U);
  EXPECT_EQ(memory->path, "");
  const auto file =
      find_page_mapping("7f20-7f30 rw-s 00000000 00:01 6   /dev/shm/x/12.ab (deleted)\n");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(file->path, "/dev/shm/x/12.ab");
  for (const char* none : {"", "7f20-7f30 r--p 00000000 00:01 6   /memfd:bufpool-stats (deleted)\n",
                           "zz rw-s 00000000 00:01 6   /memfd:bufpool-stats (deleted)\n",
                           "7f20-7f20 rw-s 00000000 00:01 6   /memfd:bufpool-stats (deleted)\n",
                           "7f20-7f30 rw-s 00000000 00:01 6   /dev/shm/x/12.\n",
                           "7f20-7f30 rw-s 00000000 00:01 6   /dev/shm/x/a.12\n"}) {
    EXPECT_FALSE(find_page_mapping(none).has_value()) << none;
  }
}

TEST(Texts, StatusLinesAreFoundByTheirNames) {
  const std::string_view text = "Name:\ta b\nUid:\t1\t2\nNSpid:\t7\t1\n";
  EXPECT_EQ(status_value(text, "Name"), "a b");
  EXPECT_EQ(status_value(text, "Uid"), "1\t2");
  EXPECT_EQ(status_value(text, "U"), "");
  EXPECT_EQ(status_value(text, "VmRSS"), "");
}

TEST(Texts, TheLibraryIsPreloadedOnce) {
  EXPECT_EQ(preload_value("/a/libbufpool.so", ""), "/a/libbufpool.so");
  EXPECT_EQ(preload_value("/a/libbufpool.so", "/b/libbufpool.so.1 x.so:y.so"),
            "/a/libbufpool.so:x.so:y.so");
}

TEST(Texts, TablesAreAligned) {
  Table table({{"name", Align::kLeft}, {"count"}, {"last", Align::kLeft}});
  table.add({"a", "12345678", "z"});
  EXPECT_EQ(table.heading_line(), "name     count  last");
  EXPECT_EQ(table.row_line(0), "a     12345678  z");
}

TEST(Load, TimesAreRightToTheWidthOfABucket) {
  Latency latency;
  for (std::uint64_t i = 1; i <= 1000; ++i) latency.add(i);
  latency.add(kNone);
  EXPECT_EQ(latency.count(), 1001U);
  const std::uint64_t median = latency.within(500'000);
  EXPECT_GE(median, 500U);
  EXPECT_LE(median, 500U + 500 / 8);
  std::uint64_t before = 0;
  latency.for_each([&](std::uint64_t from, std::uint64_t to, std::uint64_t) {
    EXPECT_GE(from, before);
    EXPECT_GT(to, from);
    before = to;
  });
}

TEST(Load, SizesAreListsAndRanges) {
  EXPECT_EQ(sizes_in("4K,1M"), (std::vector<std::uint64_t>{4096, 1 << 20}));
  const auto range = sizes_in("1K-1M");
  ASSERT_FALSE(range.empty());
  EXPECT_EQ(range.front(), 1024U);
  EXPECT_NEAR(static_cast<double>(range.back()), 1 << 20, 1);
  for (const char* wrong : {"", "x", "0", "4K-1K", "4K,x"}) {
    EXPECT_TRUE(sizes_in(wrong).empty()) << wrong;
  }
}

TEST(Sums, ClassesAreAddedBySize) {
  Snapshot one{};
  Snapshot other{};
  one.classes[0].buffer_bytes = 576;
  one.classes[0].gets = 1;
  one.classes[0].in_use_peak = 5;
  other.classes[0].buffer_bytes = 4160;
  other.classes[0].gets = 10;
  other.classes[1].buffer_bytes = 576;
  other.classes[1].gets = 100;
  other.classes[1].in_use_peak = 7;
  one.trims = 2;
  other.trims = 3;
  one.trimmer = 2;
  other.trimmer = 1;
  add_to(one, other);
  EXPECT_EQ(one.trims, 5U);
  EXPECT_EQ(one.trimmer, 2U);
  EXPECT_EQ(one.classes[0].gets, 101U);
  EXPECT_EQ(one.classes[0].in_use_peak, 7U);
  EXPECT_EQ(one.classes[1].buffer_bytes, 4160U);
  EXPECT_EQ(one.classes[1].gets, 10U);
}

}  // namespace
}  // namespace bufpool
