// SPDX-License-Identifier: MIT
// What the writer writes, the reader reads; nobody but the writer writes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "cli/pages/stats_page_reader.h"
#include "pool/platform/memory.h"
#include "pool/platform/process.h"
#include "pool/sync/owner_lock.h"
#include "pool/telemetry/stats_page_writer.h"
#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

constexpr std::uint32_t kClass = 7;
constexpr auto kNever = [](const StatsProcess&) { return false; };

class StatsPageTest : public testing::Test {
 protected:
  bool make(const char* folder = nullptr, bool samples = false) {
    writer.open(&word);
    return writer.begin(1) && writer.make({.mode = PoolMode::kLocked,
                                           .caches = 4,
                                           .shards = 4,
                                           .folder = folder,
                                           .command = "stats_page_test",
                                           .options = &options,
                                           .samples = samples});
  }

  // Returns the page that the first shard is in.
  std::span<const std::byte> bytes() const {
    std::uintptr_t at =
        platform::page_below(reinterpret_cast<std::uintptr_t>(writer.shards().page(0)));
    const auto* header = reinterpret_cast<const StatsHeader*>(at);
    for (; std::memcmp(header->magic, kStatsMagic, sizeof kStatsMagic) != 0;
         header = reinterpret_cast<const StatsHeader*>(at)) {
      at -= platform::kPageBytes;
    }
    return {reinterpret_cast<const std::byte*>(header), header->page_bytes};
  }

  std::optional<StatsPage> read() const {
    StatsPageFault fault{};
    return StatsPage::parse(bytes(), fault);
  }

  StatsStack* stack(std::uint32_t shard, std::uint32_t c) const {
    auto* const page = static_cast<char*>(writer.shards().page(shard));
    return page == nullptr ? nullptr : reinterpret_cast<StatsStack*>(page + kStatsStacksAt) + c;
  }

  StatsWord word{};
  Options options = default_options();
  StatsPageWriter writer;
};

TEST_F(StatsPageTest, IsSettledBeforeItIsOpen) {
  EXPECT_TRUE(writer.is_settled());
  EXPECT_EQ(writer.words().control, nullptr);
  EXPECT_EQ(writer.row(kClass), nullptr);
  EXPECT_EQ(stack(0, kClass), nullptr);
}

TEST_F(StatsPageTest, HasNoRoomForSamplesThatNobodyWants) {
  ASSERT_TRUE(make());
  writer.settle(true);
  EXPECT_EQ(writer.words().samples, nullptr);
  ASSERT_TRUE(read());
  EXPECT_FALSE(read()->samples());
}

TEST_F(StatsPageTest, HasSamples) {
  ASSERT_TRUE(make(nullptr, true));
  EXPECT_EQ(writer.words().samples, nullptr) << "it is not settled";
  writer.settle(true);
  StatsSamples* const samples = writer.words().samples;
  ASSERT_NE(samples, nullptr);
  samples->sampling = {4096, 3};
  samples->stacks[0].gets = 9;
  samples->stacks[7] = {.hash = 70, .gets = 2, .bytes = 300, .puts = 1, .depth = 99};
  samples->stacks[7].frames[0] = 0x1234;
  samples->buffers[5] = {0x70000000, 200, 1000, 7};
  samples->buffers[6] = {1, 200, 1000, 7};
  samples->sizes[3] = {2, 300};
  const auto page = read();
  ASSERT_TRUE(page && page->samples());
  const PageSamples& found = *page->samples();
  EXPECT_EQ(found.every, 4096U);
  EXPECT_EQ(found.dropped, 3U);
  ASSERT_EQ(found.stacks.size(), 2U);
  EXPECT_EQ(found.stacks[0].gets, 9U);
  EXPECT_EQ(found.stacks[1].bytes, 300U);
  ASSERT_EQ(found.stacks[1].frames.size(), kStatsFrames) << "a wild depth is cut";
  EXPECT_EQ(found.stacks[1].frames[0], 0x1234U);
  ASSERT_EQ(found.buffers.size(), 1U) << "a record that is not filled is left out";
  EXPECT_EQ(found.buffers[0].stack, 1U);
  EXPECT_EQ(found.sizes[3].bytes, 300U);
  EXPECT_EQ(reinterpret_cast<const std::byte*>(stack(0, 0)),
            bytes().data() + page->header().shards.at + kStatsStacksAt);
}

TEST_F(StatsPageTest, OneThreadDecides) {
  writer.open(&word);
  EXPECT_FALSE(writer.is_settled());
  EXPECT_TRUE(writer.begin(1));
  EXPECT_FALSE(writer.begin(1));
  EXPECT_FALSE(writer.is_settled());
  writer.settle(false);
  EXPECT_TRUE(writer.is_settled());
  EXPECT_FALSE(writer.begin(1));
}

TEST_F(StatsPageTest, IsReadOnceItIsReady) {
  ASSERT_TRUE(make());
  EXPECT_FALSE(read()) << "it is not ready";
  writer.settle(true);
  const std::optional<StatsPage> page = read();
  ASSERT_TRUE(page);
  EXPECT_EQ(page->header().pid, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(page->header().parent_pid, static_cast<std::uint32_t>(getppid()));
  EXPECT_EQ(page->command(), "stats_page_test");
  EXPECT_NE(page->version(), "");
  ASSERT_EQ(page->options().size(), option_list().size()) << "all of them fit";
  EXPECT_EQ(page->options()[0].name, option_list()[0].name);
  EXPECT_EQ(page->options()[0].source, "default");
}

// Each figure of the list is there, and is found by its name.
TEST_F(StatsPageTest, HasAllFigures) {
  ASSERT_TRUE(make());
  writer.settle(true);
  const std::optional<StatsPage> page = read();
  ASSERT_TRUE(page);
#define BUFPOOL_CLASS_COUNTER(name, unit, kind, sentence) \
  EXPECT_NE(page->find(StatsScope::kClass, #name), nullptr) << #name;
#define BUFPOOL_PROCESS_COUNTER(name, unit, kind, sentence) \
  EXPECT_NE(page->find(StatsScope::kProcess, #name), nullptr) << #name;
#include "pool/telemetry/counters.def"
  for (const StatsField& field : page->fields()) EXPECT_NE(StatsPage::unit_of(field), "");
}

TEST_F(StatsPageTest, FiguresAreSumsOfRowsAndStacks) {
  ASSERT_TRUE(make());
  writer.settle(true);
  StatsRow& row = *writer.row(kClass);
  row.buffer_bytes = 4096;
  row.stride_bytes = 4160;
  row.gets = row.misses = 10;
  row.puts = row.overflows = 4;
  row.in_use = 6;
  row.granted = 10 * 4160;
  row.roomy = 160;
  row.retained = ~std::uint64_t{0};
  for (std::uint32_t shard = 0; shard < 4; ++shard) {
    // 5 came without a put, 3 hits, then 1 put: 3 are left.
    *stack(shard, kClass) = {3 << kStatsHitsShift | 103, 5, 1000, 120, 100};
  }
  const ClassSnapshot now = read()->snapshot().classes[kClass];
  EXPECT_EQ(now.gets, 10U + 4 * 3);
  EXPECT_EQ(now.hits, 12U);
  EXPECT_EQ(now.puts, 4U + 4 * 1);
  EXPECT_EQ(now.in_use, 10U + 12 - 8);
  EXPECT_EQ(now.in_use_peak, now.in_use);
  EXPECT_EQ(now.cached, 12U);
  EXPECT_EQ(now.idle, 12U * 4160);
  EXPECT_EQ(now.retained, now.idle);
  EXPECT_EQ(now.asked, 4000U);
  EXPECT_EQ(now.granted, 22U * 4160 - 160);
}

TEST_F(StatsPageTest, WordsOfTheProcessHaveASequence) {
  ASSERT_TRUE(make());
  writer.write_process(kNever, [](StatsProcess& words) { words.trims = 1; });
  writer.settle(true);
  EXPECT_EQ(read()->snapshot().trims, 0U) << "it was not settled yet";
  writer.write_process(kNever, [&](StatsProcess& words) {
    words.trims = 2;
    EXPECT_TRUE(read()->is_torn());
    writer.write_process(kNever, [](StatsProcess& same) { same.trims = 3; });
  });
  EXPECT_FALSE(read()->is_torn());
  EXPECT_EQ(read()->snapshot().trims, 2U);
}

TEST_F(StatsPageTest, NothingIsWrittenWhereItIsTheSame) {
  ASSERT_TRUE(make());
  writer.settle(true);
  writer.write_process([](const StatsProcess& words) { return words.trims == 0; },
                       [](StatsProcess& words) { words.trims = 7; });
  EXPECT_EQ(read()->snapshot().trims, 0U);
  EXPECT_EQ(read()->header().sequence, 0U);
}

TEST_F(StatsPageTest, RequestsStandWhereTheHeaderSays) {
  ASSERT_TRUE(make());
  writer.settle(true);
  *writer.words().control = {kStatsTrim, 5, 1U << 31, 4};
  EXPECT_EQ(read()->control().verbs, kStatsTrim);
  EXPECT_EQ(read()->control().request, 5U);
  EXPECT_EQ(read()->control().refused, 1U << 31);
  EXPECT_EQ(read()->control().done, 4U);
}

TEST_F(StatsPageTest, PrivateMemoryTakesTheParentsPlace) {
  ASSERT_TRUE(make());
  writer.settle(true);
  StatsStack* const one = stack(1, kClass);
  one->asked = 1;
  EXPECT_EQ(in_child([&] {
              if (!writer.hide()) return __LINE__;
              if (one->asked != 0 || writer.shards().page(1) != nullptr) return __LINE__;
              one->asked = 2;
              return 0;
            }),
            0);
  EXPECT_EQ(one->asked, 1U);
}

// What a folder of the test's own in memory is; empty where there is none.
std::string folder_in_memory() {
  char name[] = "/dev/shm/bufpool-test.XXXXXX";
  return mkdtemp(name) != nullptr ? name : "";
}

TEST_F(StatsPageTest, AFileInAFolderStays) {
  const std::string folder = folder_in_memory();
  if (folder.empty()) GTEST_SKIP() << "no folder in memory";
  ASSERT_TRUE(make(folder.c_str()));
  writer.settle(true);
  std::string path;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) path = entry.path();
  const std::string start = folder + "/" + std::to_string(getpid()) + ".";
  ASSERT_EQ(path.substr(0, start.size()), start);
  struct stat now = {};
  ASSERT_EQ(stat(path.c_str(), &now), 0);
  EXPECT_EQ(now.st_mode & 0777, 0600U);
  EXPECT_GE(now.st_blocks * 512, now.st_size) << "all of it is there: no signal when it is full";
  std::string text(bytes().size(), 0);
  std::ifstream(path, std::ios::binary)
      .read(text.data(), static_cast<std::streamsize>(text.size()));
  StatsPageFault fault{};
  const auto page = StatsPage::parse(std::as_bytes(std::span(text)), fault);
  ASSERT_TRUE(page) << describe(fault);
  EXPECT_FALSE(page->control_group().empty());
  OwnerLock::enter_process();
  writer.remove_name();
  EXPECT_NE(stat(path.c_str(), &now), 0);
  std::filesystem::remove_all(folder);
}

TEST_F(StatsPageTest, AFolderThatCannotBeIsRefused) {
  EXPECT_FALSE(make("/nowhere/at/all"));
  EXPECT_FALSE(writer.has_region());
  writer.settle(false);
  platform::FileName name;
  EXPECT_EQ(platform::map_named_file({"/proc"}, 4096, nullptr, name), nullptr);
  EXPECT_EQ(name.text[0], '\0');
}

std::size_t files_in(const std::string& folder) {
  const std::filesystem::directory_iterator files(folder);
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

constexpr std::size_t kFileBytes = 8192;

// Maps a file for a process, which writes into it whose it is.
void* map_for(const std::string& folder, const platform::ProcessIdentity& owner,
              platform::FileName& name) {
  void* const page =
      platform::map_named_file({folder.c_str(), owner, 64}, kFileBytes, nullptr, name);
  if (page != nullptr) std::memcpy(static_cast<char*>(page) + 64, &owner, sizeof owner);
  return page;
}

// Only a file that is not mapped any more, and says that it is of this process, is removed.
TEST_F(StatsPageTest, AFileThatThisProcessLeftGivesWay) {
  const std::string folder = folder_in_memory();
  if (folder.empty()) GTEST_SKIP() << "no folder in memory";
  const platform::ProcessIdentity own = platform::process_identity();
  ASSERT_TRUE(own.is_known());
  std::array<platform::FileName, 6> names;
  void* const first = map_for(folder, own, names[0]);
  ASSERT_NE(first, nullptr);
  void* const second = map_for(folder, own, names[1]);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(files_in(folder), 2U) << "the first is in use";
  munmap(first, kFileBytes);
  void* const third = map_for(folder, own, names[2]);
  EXPECT_EQ(files_in(folder), 2U) << "the first gives way";
  EXPECT_STREQ(names[2].text, names[0].text);
  std::memset(third, 0, kFileBytes);
  munmap(third, kFileBytes);
  EXPECT_NE(map_for(folder, own, names[3]), nullptr);
  EXPECT_EQ(files_in(folder), 3U) << "nothing says whose the third is";
  EXPECT_NE(map_for(folder, {own.started + 1, own.pid_namespace}, names[4]), nullptr);
  EXPECT_EQ(files_in(folder), 4U) << "another process had the number";
  EXPECT_NE(map_for(folder, {}, names[5]), nullptr);
  EXPECT_EQ(files_in(folder), 5U) << "it is not known who this is";
  std::filesystem::remove_all(folder);
}

// Somebody else's file may have the name by now.
TEST_F(StatsPageTest, ANameIsRemovedWithItsFileOnly) {
  const std::string folder = folder_in_memory();
  if (folder.empty()) GTEST_SKIP() << "no folder in memory";
  platform::FileName name;
  ASSERT_NE(map_for(folder, platform::process_identity(), name), nullptr);
  std::filesystem::rename(name.text, folder + "/moved");
  std::ofstream(name.text) << "another";
  platform::remove_file(name);
  EXPECT_EQ(files_in(folder), 2U);
  std::filesystem::rename(folder + "/moved", name.text);
  platform::remove_file(name);
  EXPECT_EQ(files_in(folder), 0U);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace bufpool
