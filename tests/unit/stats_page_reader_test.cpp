// SPDX-License-Identifier: MIT
#include "cli/pages/stats_page_reader.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/page_header.h"

namespace bufpool {
namespace {

// A page made by hand: two classes, two shards, three fields of a class and one of the process.
constexpr std::uint32_t kClasses = 2;
constexpr std::uint32_t kShards = 2;
constexpr std::uint64_t kStride = 1088;

struct HandMade {
  StatsHeader header{};
  StatsField fields[4]{};
  char options[64]{};
  StatsProcess process{};
  StatsControl control{};
  StatsRow rows[kClasses]{};
  StatsStack stacks[kShards][kClasses]{};
};

StatsField class_field(const char* name, std::size_t at) {
  StatsField field{};
  std::strncpy(field.name, name, sizeof field.name - 1);
  std::strncpy(field.unit, "buffers", sizeof field.unit - 1);
  field.scope = StatsScope::kClass;
  field.at = static_cast<std::uint32_t>(at);
  return field;
}

HandMade hand_made() {
  HandMade page;
  StatsHeader& header = begin_header(page);
  header.ready = kStatsReady;
  header.process = offsetof(HandMade, process);
  header.control = offsetof(HandMade, control);
  header.fields = {offsetof(HandMade, fields), 4, sizeof(StatsField)};
  header.rows = {offsetof(HandMade, rows), kClasses, sizeof(StatsRow)};
  header.shards = {offsetof(HandMade, stacks), kShards, sizeof(StatsStack) * kClasses};
  header.stack_bytes = sizeof(StatsStack);
  header.options = {offsetof(HandMade, options), sizeof page.options, 1};
  header.mode = static_cast<std::uint32_t>(PoolMode::kRseq);
  header.pid = 77;
  std::strcpy(header.version, "1.2.3");
  std::strcpy(header.command, "a\x1b[2Jcommand");
  std::strcpy(page.options, "MODE\tdefault\tauto\nREPORT\tenvironment\toff\n");
  page.fields[0] = class_field("gets", offsetof(StatsRow, gets));
  page.fields[0].per_hit = 1;
  page.fields[0].less_at = offsetof(StatsRow, roomy);
  page.fields[1] = class_field("idle", offsetof(StatsRow, idle));
  page.fields[1].per_depth = 1;
  page.fields[1].by_stride = 1;
  page.fields[2] = class_field("retained", offsetof(StatsRow, retained));
  page.fields[2].at_most = 2;
  page.fields[3] = class_field("trims", offsetof(StatsProcess, trims));
  page.fields[3].scope = StatsScope::kProcess;
  page.process.trims = 9;
  page.rows[1].buffer_bytes = 1024;
  page.rows[1].stride_bytes = kStride;
  page.rows[1].gets = 5;
  page.rows[1].idle = 3 * kStride;
  page.rows[1].retained = ~std::uint64_t{0};
  page.rows[1].roomy = 2;
  constexpr std::uint32_t kBottom = 100;
  page.stacks[0][1].header = 10 << kStatsHitsShift | (kBottom + 2);
  page.stacks[1][1].header = 20 << kStatsHitsShift | (kBottom + 1);
  for (auto& shard : page.stacks) shard[1].bottom = kBottom;
  return page;
}

std::optional<StatsPage> parse(const HandMade& page, StatsPageFault& fault,
                               std::size_t bytes = sizeof(HandMade)) {
  return StatsPage::parse(std::as_bytes(std::span(&page, 1)).first(bytes), fault);
}

StatsPageFault fault_of(const HandMade& page, std::size_t bytes = sizeof(HandMade)) {
  StatsPageFault fault{};
  const bool read = parse(page, fault, bytes).has_value();
  EXPECT_EQ(read, fault == StatsPageFault::kNone);
  return fault;
}

// The fault of the page with one of its numbers changed.
template <typename Change>
StatsPageFault fault_after(Change change) {
  HandMade page = hand_made();
  change(page);
  return fault_of(page);
}

TEST(StatsPageReader, ReadsWhatIsThere) {
  StatsPageFault fault{};
  const std::optional<StatsPage> page = parse(hand_made(), fault);
  ASSERT_TRUE(page) << describe(fault);
  EXPECT_EQ(page->header().pid, 77U);
  EXPECT_EQ(page->version(), "1.2.3");
  EXPECT_EQ(page->command(), "a?[2Jcommand") << "a terminal is not to be told what to do";
  ASSERT_EQ(page->options().size(), 2U);
  EXPECT_EQ(page->options()[1].name, "REPORT");
  EXPECT_EQ(page->options()[1].source, "environment");
  EXPECT_EQ(page->options()[1].value, "off");
  EXPECT_FALSE(page->is_torn());
  EXPECT_EQ(page->looked_ns(), 0U);
}

TEST(StatsPageReader, ComputesFiguresByTheDirectory) {
  StatsPageFault fault{};
  const std::optional<StatsPage> page = parse(hand_made(), fault);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->value(*page->find(StatsScope::kClass, "gets"), 1), 5U - 2 + 10 + 20);
  EXPECT_EQ(page->value(*page->find(StatsScope::kClass, "idle"), 1), 6 * kStride);
  EXPECT_EQ(page->value(*page->find(StatsScope::kClass, "retained"), 1), 6 * kStride);
  EXPECT_EQ(page->value(*page->find(StatsScope::kProcess, "trims")), 9U);
  EXPECT_EQ(page->find(StatsScope::kClass, "trims"), nullptr);
  const Snapshot told = page->snapshot();
  EXPECT_EQ(told.classes[1].gets, 33U);
  EXPECT_EQ(told.classes[1].buffer_bytes, 1024U);
  EXPECT_EQ(told.classes[1].puts, 0U) << "a figure that the page does not have";
  EXPECT_EQ(told.mode, PoolMode::kRseq);
}

// A CPU comes into use while the page is read.
TEST(StatsPageReader, CountsNoBlocksOfAStackThatIsBeingOpened) {
  HandMade page = hand_made();
  StatsPageFault fault{};
  StatsStack& stack = page.stacks[1][1];
  const std::uint32_t bottom = stack.bottom;
  stack.header = bottom;
  stack.bottom = 0;
  const auto idle = [&] {
    const std::optional<StatsPage> read = parse(page, fault);
    return read->value(*read->find(StatsScope::kClass, "idle"), 1);
  };
  EXPECT_EQ(idle(), 5 * kStride) << "its top was written, and not its bottom";
  stack.header = 0;
  stack.bottom = bottom;
  EXPECT_EQ(idle(), 5 * kStride) << "its top was read before it was written";
}

TEST(StatsPageReader, TellsARecordThatWasBeingWritten) {
  HandMade page = hand_made();
  StatsPageFault fault{};
  page.rows[1].sequence = 7;
  EXPECT_TRUE(parse(page, fault)->is_torn());
  page = hand_made();
  page.header.sequence = 1;
  EXPECT_TRUE(parse(page, fault)->is_torn());
}

TEST(StatsPageReader, RefusesWhatIsNoPage) {
  EXPECT_EQ(fault_after([](HandMade& page) { page.header.magic[0] = 'b'; }),
            StatsPageFault::kNotAPage);
  EXPECT_EQ(fault_after([](HandMade& page) { page.header.ready = 0; }), StatsPageFault::kNotReady);
  EXPECT_EQ(fault_after([](HandMade& page) { ++page.header.major; }),
            StatsPageFault::kOtherVersion);
  EXPECT_EQ(fault_after([](HandMade& page) { page.header.byte_order = 0x04030201; }),
            StatsPageFault::kOtherByteOrder);
  EXPECT_EQ(fault_after([](HandMade& page) { page.header.minor = 9; }), StatsPageFault::kNone);
}

TEST(StatsPageReader, RefusesWhatIsCutShort) {
  const HandMade page = hand_made();
  for (std::size_t bytes = 0; bytes < sizeof page; ++bytes) {
    ASSERT_EQ(fault_of(page, bytes), StatsPageFault::kCutShort) << bytes;
  }
}

TEST(StatsPageReader, RefusesWildOffsets) {
  constexpr std::uint32_t kWild[] = {sizeof(HandMade) - 4, sizeof(HandMade), 0x7fffffff,
                                     0xffffffff};
  for (const std::uint32_t wild : kWild) {
    StatsArea StatsHeader::*const areas[] = {&StatsHeader::fields, &StatsHeader::rows,
                                             &StatsHeader::shards};
    for (const auto area : areas) {
      EXPECT_EQ(fault_after([=](HandMade& page) { (page.header.*area).at = wild; }),
                StatsPageFault::kWildOffset);
      EXPECT_EQ(fault_after([=](HandMade& page) { (page.header.*area).count = wild; }),
                StatsPageFault::kWildOffset);
      EXPECT_EQ(fault_after([=](HandMade& page) { (page.header.*area).stride = wild; }),
                StatsPageFault::kWildOffset);
      EXPECT_EQ(fault_after([=](HandMade& page) { (page.header.*area).stride = 0; }),
                StatsPageFault::kWildOffset);
    }
    EXPECT_EQ(fault_after([=](HandMade& page) { page.header.process = wild; }),
              StatsPageFault::kWildOffset);
    EXPECT_EQ(fault_after([=](HandMade& page) { page.header.control = wild; }),
              StatsPageFault::kWildOffset);
    EXPECT_EQ(fault_after([=](HandMade& page) { page.header.options.at = wild; }),
              StatsPageFault::kWildOffset);
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(fault_after([=](HandMade& page) { page.fields[i].at = wild; }),
                StatsPageFault::kWildOffset);
    }
  }
  EXPECT_EQ(fault_after([](HandMade& page) { page.fields[0].less_at = sizeof(StatsRow); }),
            StatsPageFault::kWildOffset);
  EXPECT_EQ(fault_after([](HandMade& page) { page.fields[0].at_most = 5; }),
            StatsPageFault::kWildOffset);
  EXPECT_EQ(fault_after([](HandMade& page) { page.fields[0].at_least = 4; }),
            StatsPageFault::kWildOffset)
      << "a figure of the process";
  EXPECT_EQ(fault_after([](HandMade& page) { page.header.stacks_at = 1U << 31; }),
            StatsPageFault::kWildOffset);
  EXPECT_EQ(fault_after([](HandMade& page) { page.header.stack_bytes = 0; }),
            StatsPageFault::kWildOffset);
}

// Records that later versions made longer are read all the same.
TEST(StatsPageReader, TakesNoSamplesFromBehindAShorterHeader) {
  HandMade page = hand_made();
  page.header.header_bytes = kStatsLeastHeader;
  page.header.sampling = 0xfffffff0;  // another record begins here in such a page
  page.header.sampled_stacks = {0xfffffff0, 7, 7};
  StatsPageFault fault{};
  const std::optional<StatsPage> read = parse(page, fault);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->samples());
}

TEST(StatsPageReader, RefusesWildSamples) {
  HandMade page = hand_made();
  page.header.sampling = offsetof(HandMade, rows);
  page.header.sampled_stacks = {offsetof(HandMade, rows), 1, sizeof(StatsSampledStack)};
  page.header.sampled_buffers = {0, 1, sizeof(StatsSampledBuffer)};
  page.header.sampled_sizes = {0, 1, sizeof(StatsSampledSize)};
  EXPECT_EQ(fault_of(page), StatsPageFault::kNone);
  page.header.sampled_stacks.at = sizeof(HandMade) - 300;
  EXPECT_EQ(fault_of(page), StatsPageFault::kWildOffset);
  page.header.sampled_stacks.at = 0;
  page.header.sampled_buffers.stride = 8;
  EXPECT_EQ(fault_of(page), StatsPageFault::kWildOffset);
  page.header.sampled_buffers.stride = sizeof(StatsSampledBuffer);
  page.header.sampled_sizes.count = ~0U;
  EXPECT_EQ(fault_of(page), StatsPageFault::kWildOffset);
  page.header.sampled_sizes.count = 0;
  page.header.sampling = sizeof(HandMade) - 8;
  EXPECT_EQ(fault_of(page), StatsPageFault::kWildOffset);
}

TEST(StatsPageReader, ReadsFiguresWithoutSamples) {
  HandMade page = hand_made();
  page.header.sampling = offsetof(HandMade, rows);
  page.header.sampled_stacks = {0xfffffff0, 7, 7};
  StatsPageFault fault{};
  const auto bytes = std::as_bytes(std::span(&page, 1));
  const std::optional<StatsPage> read = StatsPage::parse(bytes, fault, PageParts::kFigures);
  ASSERT_TRUE(read) << describe(fault);
  EXPECT_FALSE(read->samples());
  EXPECT_NE(read->find(StatsScope::kClass, "retained"), nullptr);
}

TEST(StatsPageReader, ReadsLongerRecords) {
  HandMade page = hand_made();
  page.header.fields.count = 2;
  page.header.fields.stride = 2 * sizeof(StatsField);
  StatsPageFault fault{};
  const std::optional<StatsPage> read = parse(page, fault);
  ASSERT_TRUE(read);
  EXPECT_NE(read->find(StatsScope::kClass, "retained"), nullptr);
  EXPECT_EQ(read->find(StatsScope::kClass, "idle"), nullptr);
}

// Whatever the bytes are, nothing outside of them is read (the sanitizers' build would tell).
TEST(StatsPageReader, SurvivesAnyBytes) {
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    HandMade page = hand_made();
    auto bytes = std::as_writable_bytes(std::span(&page, 1));
    for (int i = 0; i < 4; ++i) {
      bytes[sizeof kStatsMagic + random() % (bytes.size() - sizeof kStatsMagic)] =
          static_cast<std::byte>(random());
    }
    std::vector<std::byte> exact(bytes.begin(), bytes.end());
    StatsPageFault fault{};
    const std::optional<StatsPage> read = StatsPage::parse(exact, fault);
    if (read) std::ignore = read->snapshot();
  }
}

}  // namespace
}  // namespace bufpool
