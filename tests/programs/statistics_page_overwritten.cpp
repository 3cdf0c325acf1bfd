// SPDX-License-Identifier: MIT
// Promise: a program that overwrites the front of its statistics page (the header, the rows, the
//   words of the process, the requests) gets wrong figures there, and nothing else: its buffers,
//   its forks and its report are as always.
// Needs: library
// Reports: 1
// Class: 64K gets=40003
// Env: BUFPOOL_REPORT_MIN=1000
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "tests/programs/own_page.h"

namespace {

constexpr std::size_t kBytes = 64 << 10;
constexpr int kThreads = 4;
constexpr int kTimes = 10'000;

void work(unsigned seed) {
  for (int i = 0; i < kTimes; ++i) {
    void* const buffer = promise::get<void>(kBytes);
    promise::fill(buffer, 64, seed + static_cast<unsigned>(i));
    promise::keep(promise::holds(buffer, 64, seed + static_cast<unsigned>(i)), "whole");
    promise::put(buffer);
  }
}

// Writes words of any value to all that lies in front of the stacks.
void overwrite(std::span<std::uint32_t> front, const std::atomic<bool>& ends) {
  std::mt19937 random(5);
  while (!ends) {
    for (std::uint32_t& word : front) std::atomic_ref(word).store(random());
    for (std::uint32_t& word : front) std::atomic_ref(word).store(~0U);
    for (std::uint32_t& word : front) std::atomic_ref(word).store(0);
  }
}

}  // namespace

int main() {
  promise::use(kBytes, 3);
  const promise::PageMapping page = promise::own_page();
  promise::keep(page.start != 0, "there is a page");
  const std::size_t bytes = promise::read_page(page).header().shards.at;
  std::atomic<bool> ends{false};
  std::thread writer([&] {
    overwrite({reinterpret_cast<std::uint32_t*>(page.start), bytes / 4}, ends);
  });
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
  const pid_t child = fork();
  if (child == 0) {
    work(7);
    // So many misses that it makes a page of its own.
    for (std::size_t size = 5000; size < kBytes * 4; size += 5000) promise::use(size);
    const bool has_own = promise::own_page().file != page.file;
    for (;;) syscall(SYS_exit_group, has_own ? 0 : 1);
  }
  int status = 0;
  promise::keep(waitpid(child, &status, 0) == child && status == 0, "its child is as always");
  ends = true;
  writer.join();
}
