// SPDX-License-Identifier: MIT
// Promise: with BUFPOOL_STATS naming a folder in memory, a process that is killed in full flight
//   leaves figures that are right to one operation for each thread and CPU. One that ends by itself
//   leaves nothing.
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "cli/pages/stats_page_reader.h"
#include "tests/programs/promise.h"

namespace {

constexpr int kKills = 20;
constexpr int kThreads = 4;
constexpr std::array<std::size_t, 4> kBytes{600, 5'000, 70'000, 300'000};

// What a thread has got and put of each size, in memory that outlives it.
struct alignas(64) Account {
  std::array<std::atomic<std::uint64_t>, kBytes.size()> gets;
  std::array<std::atomic<std::uint64_t>, kBytes.size()> puts;
};
struct Shared {
  std::array<Account, kThreads> accounts;
  std::array<std::atomic<std::uint64_t>, kBytes.size()> before;  // gets that are not the threads'
};

// Buffers change hands by these, so that stacks run full and empty.
struct Slot {
  std::atomic<void*> buffer;
};

void work(Account& account, std::span<Slot> slots, unsigned seed) {
  std::uint64_t random = seed;
  for (;;) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    const std::size_t kind = random >> 40 & 3;
    const std::size_t each = slots.size() / kBytes.size();
    Slot& slot = slots[kind * each + (random >> 33) % each];
    void* const mine = promise::get<void>(kBytes[kind]);
    account.gets[kind].fetch_add(1);
    if (void* const other = slot.buffer.exchange(mine)) {
      promise::put(other);
      account.puts[kind].fetch_add(1);
    }
  }
}

[[noreturn]] void live(Shared& shared) {
  static std::array<Slot, 800> slots{};
  promise::use(kBytes[0]);  // the page is made
  shared.before[0] = 1;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&shared, i] { work(shared.accounts[i], slots, i + 1); });
  }
  for (;;) pause();
}

std::uint64_t sum(const Shared& shared, std::size_t kind, bool gets) {
  std::uint64_t all = shared.before[kind];
  for (const Account& account : shared.accounts) {
    all += (gets ? account.gets : account.puts)[kind];
  }
  return all;
}

// The files in the folder; the last one's path.
int files_in(const std::string& folder, std::string& path) {
  int count = 0;
  DIR* const entries = opendir(folder.c_str());
  while (const dirent* const entry = readdir(entries)) {
    if (entry->d_name[0] == '.') continue;
    path = folder + "/" + entry->d_name;
    ++count;
  }
  closedir(entries);
  return count;
}

bufpool::StatsPage read_file(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "re");
  promise::keep(file != nullptr, "the file can be read");
  std::vector<std::byte> bytes(4 << 20);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
  std::fclose(file);
  bufpool::StatsPageFault fault{};
  auto page = bufpool::StatsPage::parse(bytes, fault);
  promise::keep(page.has_value(), bufpool::describe(fault).data());
  return *page;
}

void expect_near(const bufpool::StatsPage& page, const Shared& shared, std::size_t kind,
                 bool gets) {
  const auto* field = page.find(bufpool::StatsScope::kClass, gets ? "gets" : "puts");
  std::uint32_t c = 0;
  while (page.buffer_bytes(c) < kBytes[kind]) ++c;
  const auto told = static_cast<std::int64_t>(page.value(*field, c));
  const auto noted = static_cast<std::int64_t>(sum(shared, kind, gets));
  cpu_set_t cpus;
  promise::keep(sched_getaffinity(0, sizeof cpus, &cpus) == 0, "CPUs are counted");
  const std::int64_t most = kThreads + CPU_COUNT(&cpus);
  if (told - noted > most || noted - told > most) {
    dprintf(STDERR_FILENO, "%zu bytes, %s: %lld told, %lld noted\n", kBytes[kind],
            gets ? "gets" : "puts", static_cast<long long>(told), static_cast<long long>(noted));
    promise::keep(false, "figures are right to one operation for each thread and CPU");
  }
}

void kill_one(const std::string& folder, Shared& shared, int round) {
  memset(static_cast<void*>(&shared), 0, sizeof shared);
  const pid_t child = fork();
  if (child == 0) live(shared);
  const std::uint64_t enough = 20'000 + static_cast<std::uint64_t>(round) * 1'317;
  while (sum(shared, 0, true) < enough) sched_yield();
  kill(child, SIGKILL);
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "the child is killed");
  std::string path;
  promise::keep(files_in(folder, path) == 2, "it left a file, beside its parent's");
  const std::string own = folder + "/" + std::to_string(child) + ".";
  DIR* const entries = opendir(folder.c_str());
  while (const dirent* const entry = readdir(entries)) {
    const std::string name = folder + "/" + entry->d_name;
    if (name.rfind(own, 0) == 0) path = name;
  }
  closedir(entries);
  const bufpool::StatsPage page = read_file(path);
  promise::keep(page.header().pid == static_cast<std::uint32_t>(child), "it is the child's");
  for (std::size_t kind = 0; kind < kBytes.size(); ++kind) {
    expect_near(page, shared, kind, true);
    expect_near(page, shared, kind, false);
  }
  unlink(path.c_str());
}

int run(const std::string& folder) {
  void* const memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  promise::keep(memory != MAP_FAILED, "there is memory to note in");
  std::string path;
  promise::use(kBytes[0]);
  promise::keep(files_in(folder, path) == 1, "there is a page");
  for (int round = 0; round < kKills; ++round) {
    kill_one(folder, *static_cast<Shared*>(memory), round);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) return run(arguments[1]);
  char folder[] = "/dev/shm/bufpool-test.XXXXXX";
  if (mkdtemp(folder) == nullptr) promise::skip("there is no folder in memory");
  const pid_t child = fork();
  if (child == 0) {
    setenv("BUFPOOL_STATS", folder, 1);
    execl("/proc/self/exe", arguments[0], folder, nullptr);
    _exit(9);
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child && WIFEXITED(status), "it ends");
  std::string path;
  const int left = files_in(folder, path);
  if (left > 0) unlink(path.c_str());
  rmdir(folder);
  if (WEXITSTATUS(status) == 0) promise::keep(left == 0, "who ends by itself leaves nothing");
  return WEXITSTATUS(status);
}
