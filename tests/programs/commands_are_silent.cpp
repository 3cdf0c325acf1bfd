// SPDX-License-Identifier: MIT
// Promise: by default a command says nothing: one that lives for less than a second and makes fewer
//   than 10,000 gets, or one that makes fewer than 1,000. Others report, and so does one whose
//   clock stands still. A forked child lives from its fork on.
// Needs: library
// Env: -BUFPOOL_REPORT
// Run: few-gets-in-a-long-life
// Args: long 900
// Run: many-gets-in-a-short-life
// Args: brief
// Stderr-not: not kept
// Run: many-gets-in-a-long-life
// Args: long 1000
// Stderr: \Abufpool\[
// Run: very-many-gets
// Args: gets 10000
// Stderr: \Abufpool\[
// Run: clock-stands-still
// Args: long 1000
// Preload-before: frozen_clock
// Stderr: \Abufpool\[
#include <string_view>

#include "tests/programs/again.h"
#include "tests/programs/memory.h"

namespace {

constexpr int kTries = 20;
constexpr std::uint64_t kShortLifeMs = 800;  // the rule says a second
constexpr const char* kBusy = "busy\n";

// Not by libc's clock, which may stand still, and longer than the rule needs.
void live_for_more_than_a_second() {
  const timespec time{1, 200'000'000};
  syscall(SYS_nanosleep, &time, nullptr);
}

// A busy machine may make a life long: then it is no trial.
struct Trial {
  bool was_short;
  std::string told;
};

Trial trial_of(const char* life) {
  const promise::Pipe pipe = promise::make_pipe();
  const pid_t child = promise::start_again(life, pipe.writer);
  close(pipe.writer);
  const std::string text = promise::read_to_end(pipe.reader);
  promise::wait_for(child);
  close(pipe.reader);
  return {text.find(kBusy) == std::string::npos, text};
}

// Says on stderr if it took long.
void use_many_buffers(std::uint64_t began) {
  promise::use(70000, 5000);
  if (promise::now_ms() - began >= kShortLifeMs) dprintf(STDERR_FILENO, "%s", kBusy);
}

void fork_after_a_second() {
  live_for_more_than_a_second();
  const std::uint64_t began = promise::now_ms();
  const pid_t child = fork();
  if (child == 0) {
    use_many_buffers(began);
    exit(0);
  }
  promise::wait_for(child);
}

void expect_silence(const char* life, const char* what) {
  for (int i = 0; i < kTries; ++i) {
    const Trial trial = trial_of(life);
    if (!trial.was_short) continue;
    return promise::keep(trial.told.empty(), what);
  }
  promise::skip("the machine is too busy for a short life");
}

}  // namespace

// The gets of libc's start come on top: they are fewer than ten.
int main(int, char** arguments) {
  const std::uint64_t began = promise::now_ms();
  const std::string_view life = arguments[1];
  if (life == "brief") {
    expect_silence("command", "a command is silent");
    expect_silence("parent", "a forked child that ends soon is silent");
  } else if (life == "command") {
    use_many_buffers(began);
  } else if (life == "parent") {
    fork_after_a_second();
  } else {
    if (life == "long") live_for_more_than_a_second();
    promise::use(70000, atoi(arguments[2]));
  }
}
