// SPDX-License-Identifier: MIT
// Promise: if several threads end the program at once, by exit and _exit, the report is told once,
//   and whole. The thread that comes second waits for it.
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_FORMAT=text BUFPOOL_REPORT_MIN=1
// Stderr-not: not kept
#include <atomic>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/programs/again.h"

namespace {

constexpr int kRounds = 15;
constexpr int kThreads = 4;

[[noreturn]] void leave_by_five() {
  for (std::size_t bytes = 600; bytes < 1 << 20; bytes += bytes / 4) promise::use(bytes, 20);
  std::atomic<int> ready{0};
  const auto gather = [&ready] {
    ++ready;
    while (ready <= kThreads) {
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&gather] {
      gather();
      _exit(0);
    });
  }
  gather();
  exit(0);
}

std::size_t count(std::string_view text, std::string_view word) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(word, at)) != text.npos; at += word.size()) ++found;
  return found;
}

}  // namespace

int main(int arguments, char**) {
  if (arguments == 2) leave_by_five();
  for (int round = 0; round < kRounds; ++round) {
    const promise::Pipe pipe = promise::make_pipe();
    const pid_t child = promise::start_again("leave", pipe.writer);
    close(pipe.writer);
    const std::string text = promise::read_to_end(pipe.reader);
    close(pipe.reader);
    promise::keep(promise::wait_for(child) == 0, "the child ends well");
    promise::keep(count(text, ", mode ") == 1, "one report begins");
    promise::keep(count(text, "what to change") == 1, "and is told to its end");
  }
}
