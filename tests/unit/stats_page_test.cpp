// SPDX-License-Identifier: MIT
// What the writer writes, the reader reads; nobody but the writer writes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "cli/stats_page_reader.h"
#include "pool/platform/memory.h"
#include "pool/sync/owner_lock.h"
#include "pool/telemetry/stats_page_writer.h"
#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

constexpr std::uint32_t kClass = 7;
constexpr auto kNever = [](const StatsProcess&) { return false; };

class StatsPageTest : public testing::Test {
 protected:
  bool make(const char* folder = nullptr) {
    writer.open(&word);
    return writer.begin(1) && writer.make({PoolMode::kLocked, 4, folder, &options});
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

// Whoever opens the file from outside can neither change it nor its size.
TEST_F(StatsPageTest, IsSealed) {
  void* const page = platform::map_memory_file("sealed", 8192, nullptr);
  ASSERT_NE(page, nullptr);
  std::string path = "/proc/self/map_files/";
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("/memfd:sealed") != std::string::npos) path += line.substr(0, line.find(' '));
  }
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) GTEST_SKIP() << "only root opens " << path;
  EXPECT_NE(pwrite(file, "x", 1, 0), 1);
  EXPECT_NE(ftruncate(file, 0), 0);
  EXPECT_NE(ftruncate(file, 16384), 0);
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), MAP_FAILED);
  void* const read = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0);
  EXPECT_NE(read, MAP_FAILED);
  static_cast<char*>(page)[5] = 'x';
  EXPECT_EQ(static_cast<char*>(read)[5], 'x') << "the process writes on";
  close(file);
  munmap(read, 4096);
  munmap(page, 8192);
}

// Opens the file that is about to be sealed, as another process of the same user could, and keeps
// it mapped. The call that it interrupts fails.
void intrude(int /*signal*/, siginfo_t* /*info*/, void* context) {
  auto* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const std::string path = "/proc/self/fd/" + std::to_string(registers[REG_RDI]);
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  registers[REG_RAX] = -EPERM;
}

bool intrude_before_seals() {
  struct sigaction action = {};
  action.sa_sigaction = intrude;
  action.sa_flags = SA_SIGINFO;
  constexpr auto kCall = static_cast<__u32>(offsetof(seccomp_data, nr));
  constexpr auto kSecond = static_cast<__u32>(offsetof(seccomp_data, args[1]));
  std::array<sock_filter, 6> rules{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCall),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSecond),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_ADD_SEALS, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{rules.size(), rules.data()};
  return sigaction(SIGSYS, &action, nullptr) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// The records of stacks in it lead to buffers. Another process of the same user that could write to
// it could do what only tracers may do otherwise.
TEST_F(StatsPageTest, IsGivenUpIfSomebodyOpenedItBeforeItWasSealed) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "it puts signals off";
#endif
  EXPECT_EQ(in_child([] {
              if (!intrude_before_seals()) return 0;
              return platform::map_memory_file("raced", 8192, nullptr) == nullptr ? 0 : __LINE__;
            }),
            0);
}

// A file beyond the limit would end the process by a signal.
TEST_F(StatsPageTest, ObeysTheLimitOfFiles) {
  EXPECT_EQ(in_child([] {
              const rlimit limit{4096, 4096};
              if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return __LINE__;
              return platform::map_memory_file("limited", 8192, nullptr) == nullptr ? 0 : __LINE__;
            }),
            0);
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

}  // namespace
}  // namespace bufpool
