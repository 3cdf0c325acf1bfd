// SPDX-License-Identifier: MIT
// How counts of groups outlive their processes.
#include "cli/exporting/lasting_counts.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace bufpool {
namespace {

constexpr std::uint64_t kClass = 16448;
constexpr std::uint64_t kOtherClass = 32832;
constexpr std::uint64_t kHour = 3'600'000;
const std::string kRedis = R"(unit="redis.service",comm="redis \"a\"")";

Snapshot with_gets(std::uint64_t gets, std::uint64_t buffer_bytes = kClass) {
  Snapshot snapshot{};
  snapshot.trims = gets / 10;
  snapshot.reserved = 1 << 20;
  snapshot.classes[0].buffer_bytes = buffer_bytes;
  snapshot.classes[0].gets = gets;
  snapshot.classes[0].in_use = 7;
  return snapshot;
}

// What one run of the command does with the processes that it finds.
class LastingCountsTest : public ::testing::Test {
 protected:
  struct Shown {
    std::uint64_t pid;
    std::uint64_t gets;
    std::string labels = kRedis;
  };

  void run(std::initializer_list<Shown> processes) {
    LastingCounts counts = LastingCounts::parse(text_);
    for (const Shown& one : processes) {
      counts.show(one.labels, {one.pid, one.pid * 1000}, with_gets(one.gets));
    }
    counts.settle(now_ms_);
    text_ = counts.text();
    counts_ = LastingCounts::parse(text_);
  }

  void run_often(int times) {
    for (int i = 0; i < times; ++i) run({});
  }

  [[nodiscard]] std::uint64_t gets(const std::string& labels = kRedis) const {
    return counts_.groups().at(labels).counts.classes[0].gets;
  }

  std::string text_;
  std::uint64_t now_ms_ = 1'000'000'000;
  LastingCounts counts_;
};

TEST_F(LastingCountsTest, TheFirstRunHasAll) {
  run({{1, 100}, {2, 50}});
  EXPECT_EQ(gets(), 150u);
  EXPECT_EQ(counts_.groups().at(kRedis).counts.trims, 15u);
  EXPECT_EQ(counts_.groups().at(kRedis).counts.classes[0].buffer_bytes, kClass);
}

TEST_F(LastingCountsTest, OnlyCountersAreKept) {
  run({{1, 100}});
  EXPECT_EQ(counts_.groups().at(kRedis).counts.classes[0].in_use, 0u);
  EXPECT_EQ(counts_.groups().at(kRedis).counts.reserved, 0u);
}

TEST_F(LastingCountsTest, GrowthIsAdded) {
  run({{1, 100}});
  run({{1, 130}});
  run({{1, 130}});
  EXPECT_EQ(gets(), 130u);
}

TEST_F(LastingCountsTest, AnEndTakesNothingAway) {
  run({{1, 100}, {2, 50}});
  run({{2, 60}});
  EXPECT_EQ(gets(), 160u);
  run({});
  EXPECT_EQ(gets(), 160u);
  run({{3, 5}});
  EXPECT_EQ(gets(), 165u);
}

TEST_F(LastingCountsTest, ANumberThatComesAgainIsAnotherProcess) {
  LastingCounts counts;
  counts.show(kRedis, {1, 1000}, with_gets(100));
  counts.settle(now_ms_);
  counts = LastingCounts::parse(counts.text());
  counts.show(kRedis, {1, 2000}, with_gets(70));
  EXPECT_EQ(counts.groups().at(kRedis).counts.classes[0].gets, 170u);
}

TEST_F(LastingCountsTest, OneThatCouldNotBeReadIsNotCountedTwice) {
  run({{1, 100}});
  run({});
  run({{1, 120}});
  EXPECT_EQ(gets(), 120u);
  EXPECT_EQ(counts_.groups().at(kRedis).ended, 0u);
}

TEST_F(LastingCountsTest, EndsAreCountedOnce) {
  run({{1, 100}, {2, 1}});
  run_often(10);
  EXPECT_EQ(counts_.groups().at(kRedis).ended, 2u);
}

TEST_F(LastingCountsTest, ACounterThatFellAddsNothing) {
  run({{1, 100}});
  run({{1, 99}});
  EXPECT_EQ(gets(), 100u);
}

TEST_F(LastingCountsTest, AProcessThatChangedItsGroupBringsAllToANewOne) {
  run({{1, 100}});
  run({{1, 110, "unit=\"other\""}});
  EXPECT_EQ(gets(), 100u);
  EXPECT_EQ(gets("unit=\"other\""), 110u);
}

TEST_F(LastingCountsTest, AGroupWithoutProcessesIsForgottenInTheEnd) {
  run({{1, 100}});
  run_often(4);
  now_ms_ += kHour;
  run({});
  EXPECT_EQ(gets(), 100u);
  now_ms_ += 1;
  run({});
  EXPECT_TRUE(counts_.groups().empty());
}

TEST_F(LastingCountsTest, ClassesAreAddedByTheirSize) {
  LastingCounts counts;
  counts.show(kRedis, {1, 1}, with_gets(100, kOtherClass));
  counts.show(kRedis, {2, 2}, with_gets(10, kClass));
  counts.show(kRedis, {3, 3}, with_gets(1, kOtherClass));
  const Snapshot& sum = counts.groups().at(kRedis).counts;
  EXPECT_EQ(sum.classes[0].gets, 101u);
  EXPECT_EQ(sum.classes[1].gets, 10u);
}

TEST_F(LastingCountsTest, ColumnsGoByTheirNames) {
  counts_ = LastingCounts::parse(
      "bufpool export counts 1\n"
      "columns later_one trims\n"
      "class-columns hits nothing gets\n"
      "group 5 2 unit=\"a b\"\n"
      "all 1 2\n"
      "class 16448 3 4 5\n");
  const LastingCounts::Group& group = counts_.groups().at("unit=\"a b\"");
  EXPECT_EQ(group.ended, 2u);
  EXPECT_EQ(group.counts.trims, 2u);
  EXPECT_EQ(group.counts.classes[0].hits, 3u);
  EXPECT_EQ(group.counts.classes[0].gets, 5u);
}

TEST_F(LastingCountsTest, AnyTextCanBeRead) {
  run({{1, 100}, {2, 50}});
  const std::string whole = text_;
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    static_cast<void>(LastingCounts::parse(whole.substr(0, bytes)));
    std::string wrong = whole;
    wrong[bytes] ^= 2;
    static_cast<void>(LastingCounts::parse(wrong));
  }
  EXPECT_TRUE(LastingCounts::parse("{}").groups().empty());
  EXPECT_TRUE(LastingCounts::parse("bufpool export counts 2\ngroup 1 1 a\n").groups().empty());
}

}  // namespace
}  // namespace bufpool
