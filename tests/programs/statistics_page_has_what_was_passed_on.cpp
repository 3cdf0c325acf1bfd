// SPDX-License-Identifier: MIT
// Promise: the statistics page has the requests that were passed on: those from before the page was
//   made, all large ones, and the small ones but for the last 1,023 of each thread.
// Needs: library
// Env: BUFPOOL_MAX_SIZE=1M
#include <thread>
#include <vector>

#include "tests/programs/own_page.h"

namespace {

constexpr int kThreads = 4;
constexpr int kTimes = 5000;
constexpr std::uint64_t kAll = std::uint64_t{kThreads} * kTimes;
constexpr std::uint64_t kUntold = 1023;  // by a thread

std::uint64_t passed(const char* name) {
  const bufpool::StatsPage page = promise::read_page(promise::own_page());
  const bufpool::StatsField* const field = page.find(bufpool::StatsScope::kProcess, name);
  promise::keep(field != nullptr, name);
  return page.value(*field);
}

}  // namespace

int main() {
  promise::use(2'000'000, 10);
  promise::use(100, kTimes);
  promise::use(5000);
  const std::uint64_t below = passed("passed_below");
  const std::uint64_t above = passed("passed_above");
  promise::keep(below + kUntold >= kTimes && above >= 10, "what was before the page is there");
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([] {
      promise::use(2'000'000, 100);
      promise::use(100, kTimes);
    });
  }
  for (std::thread& thread : threads) thread.join();
  promise::keep(passed("passed_above") == above + std::uint64_t{kThreads} * 100,
                "each large request counts");
  promise::keep(passed("passed_below") + kThreads * kUntold >= below + kAll,
                "and each small one, but for the last of each thread");
  promise::keep(passed("passed_below") <= below + kAll + (kThreads + 1) * kUntold,
                "and none twice");
}
