// SPDX-License-Identifier: MIT
// How the command finds the pages of processes, and whom it takes for whom.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <tuple>

#include "cli/command_error.h"
#include "cli/figures/sample.h"
#include "cli/pages/page_source.h"
#include "cli/pages/process_reader.h"
#include "cli/processes/proc_files.h"
#include "cli/processes/process_info.h"
#include "cli/steering/page_control.h"
#include "tests/unit/page_header.h"

namespace bufpool {
namespace {

// A page that has no figures, and no samples though it has room for some.
struct EmptyPage {
  StatsHeader header{};
  StatsProcess process{};
  StatsControl control{};
  StatsRow row{};
  StatsSampling sampling{.every = 4096};
  StatsSampledStack stack{};
};

EmptyPage empty_page() {
  EmptyPage page;
  StatsHeader& header = begin_header(page);
  header.process = offsetof(EmptyPage, process);
  header.control = offsetof(EmptyPage, control);
  header.fields = {offsetof(EmptyPage, row), 0, sizeof(StatsField)};
  header.rows = {offsetof(EmptyPage, row), 1, sizeof(StatsRow)};
  header.shards = {offsetof(EmptyPage, row), 0, sizeof(StatsStack)};
  header.stack_bytes = sizeof(StatsStack);
  header.options = {offsetof(EmptyPage, row), 0, 1};
  header.sampling = offsetof(EmptyPage, sampling);
  header.sampled_stacks = {offsetof(EmptyPage, stack), 1, sizeof(StatsSampledStack)};
  header.sampled_buffers = {offsetof(EmptyPage, stack), 0, sizeof(StatsSampledBuffer)};
  header.sampled_sizes = {offsetof(EmptyPage, stack), 0, sizeof(StatsSampledSize)};
  header.pid = static_cast<std::uint32_t>(getpid());
  header.started_ns = 1;
  header.ready = kStatsReady;
  return page;
}

// Both programs of the process have something mapped there.
void* const kPlace = reinterpret_cast<void*>(std::uintptr_t{1} << 33);
constexpr std::size_t kBytes = 4096;
constexpr int kOrders = 100;  // descriptors of the process
constexpr int kAnswers = 101;

void* map_there(int flags, int file) {
  return mmap(kPlace, kBytes, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, file, 0);
}

// Says that it is ready, and waits for an order. Returns false once nobody gives orders any more.
bool wait_for_order() {
  char byte = 'r';
  return write(kAnswers, &byte, 1) == 1 && read(kOrders, &byte, 1) == 1;
}

// A process that has a page, and executes another program when it is told to.
[[noreturn]] void have_a_page() {
  const EmptyPage page = empty_page();
  const int file = memfd_create(kStatsName, 0);
  if (ftruncate(file, kBytes) != 0 || map_there(MAP_SHARED, file) != kPlace) _exit(1);
  std::memcpy(kPlace, &page, sizeof page);
  if (!wait_for_order()) _exit(0);
  execl("/proc/self/exe", "cli_pages_test", "--gtest_also_run_disabled_tests",
        "--gtest_filter=NewProgram.*", nullptr);
  _exit(1);
}

class PageControl : public testing::Test {
 protected:
  void SetUp() override {
    int orders[2];
    int answers[2];
    ASSERT_EQ(pipe2(orders, O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(answers, O_CLOEXEC), 0);
    child_ = fork();
    if (child_ == 0) {
      dup2(orders[0], kOrders);
      dup2(answers[1], kAnswers);
      for (const int end : {orders[0], orders[1], answers[0], answers[1]}) close(end);
      have_a_page();
    }
    close(orders[0]);
    close(answers[1]);
    orders_ = Descriptor(orders[1]);
    answers_ = Descriptor(answers[0]);
    ASSERT_TRUE(is_ready());
  }

  bool is_ready() {
    char byte = 0;
    return read(answers_.number(), &byte, 1) == 1;
  }
  void order() { ASSERT_EQ(write(orders_.number(), "x", 1), 1); }

  // Gives the last order. Returns the status with which the process ends.
  int end() {
    static_cast<void>(orders_.close());
    int status = 0;
    waitpid(child_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  pid_t child_ = 0;
  Descriptor orders_;
  Descriptor answers_;
};

TEST_F(PageControl, WritesARequestIntoThePage) {
  const PooledProcess process = process_or_fail(child_);
  EXPECT_EQ(ask(process, kStatsTrim, 0), Answer::kNone);
  StatsPageFault fault{};
  int error = 0;
  const std::optional<StatsPage> page = process.source.read(fault, error);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->control().verbs, kStatsTrim);
  EXPECT_EQ(page->control().request, 1U);
  EXPECT_EQ(end(), 0);
}

TEST_F(PageControl, LeavesAProgramAloneThatCameAfterThePage) {
  const PooledProcess process = process_or_fail(child_);
  order();
  ASSERT_TRUE(is_ready()) << "it is another program";
  EXPECT_THROW(std::ignore = ask(process, kStatsTrim, 0), CommandError);
  EXPECT_EQ(end(), 0) << "its memory is as it left it";
}

TEST_F(PageControl, SamplesAreReadWhereTheyAreWanted) {
  EXPECT_FALSE(process_or_fail(child_).page.samples());
  EXPECT_TRUE(process_or_fail(child_, PageParts::kFiguresAndSamples).page.samples());
  EXPECT_EQ(end(), 0);
}

TEST_F(PageControl, NamesNoProgramThatCameAfterThePage) {
  const PooledProcess process = process_or_fail(child_, PageParts::kFiguresAndSamples);
  Sample sample;
  tell_profile(sample, process);
  ASSERT_TRUE(sample.profile);
  EXPECT_FALSE(sample.profile->maps.empty());
  order();
  ASSERT_TRUE(is_ready()) << "it is another program";
  tell_profile(sample, process);
  EXPECT_TRUE(sample.profile->maps.empty());
  EXPECT_EQ(end(), 0);
}

TEST_F(PageControl, SaysThatAProcessHasEnded) {
  const PooledProcess process = process_or_fail(child_);
  EXPECT_EQ(end(), 0);
  EXPECT_THROW(std::ignore = ask(process, kStatsTrim, 0), CommandError);
}

// The program that the process above executes.
TEST(NewProgram, DISABLED_KeepsItsMemory) {
  ASSERT_EQ(map_there(MAP_PRIVATE | MAP_ANONYMOUS, -1), kPlace);
  static_cast<void>(wait_for_order());
  const char* const bytes = static_cast<const char*>(kPlace);
  EXPECT_TRUE(std::all_of(bytes, bytes + kBytes, [](char byte) { return byte == 0; }));
}

TEST(PageSource, DoesNotFollowLinks) {
  char folder[] = "/tmp/bufpool-pages.XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string link = std::string(folder) + "/1.a";
  ASSERT_EQ(symlink("/proc/self/status", link.c_str()), 0);
  EXPECT_FALSE(PageSource::of_file(link).is_open());
  EXPECT_TRUE(PageSource::of_file("/proc/self/status").is_open());
  unlink(link.c_str());
  rmdir(folder);
}

TEST(ProcessInfo, KnowsAProcessByItsStartAndItsNamespace) {
  const pid_t pid = getpid();
  constexpr std::size_t kStart = 19;  // behind the name
  const std::string text = read_text_or_empty(proc_path(pid, "stat"));
  const auto fields = split(std::string_view(text).substr(text.rfind(')') + 1), ' ');
  ASSERT_GT(fields.size(), kStart);
  const std::uint64_t started = std::stoull(std::string(fields[kStart]));
  struct stat space = {};
  ASSERT_EQ(stat("/proc/self/ns/pid", &space), 0);
  const auto info = process_info(pid, started, space.st_ino);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->pid, pid);
  EXPECT_FALSE(process_info(pid, started + 1, space.st_ino));
  EXPECT_FALSE(process_info(pid, started, space.st_ino + 1));
  EXPECT_FALSE(process_info(pid, 0, 0)) << "the page does not say";
}

}  // namespace
}  // namespace bufpool
