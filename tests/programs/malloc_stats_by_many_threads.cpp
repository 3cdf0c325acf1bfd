// SPDX-License-Identifier: MIT
// Promise: if threads call malloc_stats at once, each prints a report, one after the other.
// Stderr-not: not kept
#include <malloc.h>

#include <algorithm>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/programs/again.h"

namespace {

constexpr int kThreads = 8;
constexpr int kRounds = 10;

int print_at_once() {
  for (std::size_t bytes = 600; bytes < 1 << 20; bytes += bytes / 4) promise::use(bytes, 20);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < kRounds; ++round) malloc_stats();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

}  // namespace

int main(int count, char**) {
  if (count == 2) return print_at_once();
  const promise::Pipe pipe = promise::make_pipe(1 << 20);
  const pid_t child = promise::start_again("print", pipe.writer);
  close(pipe.writer);
  const std::string text = promise::read_to_end(pipe.reader);
  promise::keep(promise::wait_for(child) == 0, "the child ends well");
  int reports = 0;
  for (std::size_t at = 0; at < text.size(); ++reports) {
    const std::size_t start = text.find(", mode ", at);
    const std::size_t end = text.find("what to change", at);
    promise::keep(start < end && end != text.npos, "a report begins before it ends");
    promise::keep(text.find(", mode ", start + 1) > end, "and no other begins within it");
    at = std::min(text.find("bufpool 0", end), text.size());
  }
  promise::keep(reports == kThreads * kRounds, "each call is answered");
}
