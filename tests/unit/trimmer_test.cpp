// SPDX-License-Identifier: MIT
#include "pool/retention/trimmer.h"

#include <dirent.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "pool/platform/threads.h"
#include "tests/unit/in_child.h"
#include "tests/unit/retained.h"

namespace bufpool {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kGiveUp{60'000};
constexpr int kEnoughCalls = 64;
const ClassIndex kMiddle = class_step(70'000);

// Returns the threads of this process that have the trimmer's name.
std::vector<std::string> trimmer_threads() {
  std::vector<std::string> found;
  DIR* const folder = opendir("/proc/self/task");
  while (const dirent* entry = readdir(folder)) {
    const std::string task = std::string("/proc/self/task/") + entry->d_name;
    std::ifstream file(task + "/comm");
    std::string name;
    if (std::getline(file, name) && name == "bufpool-trim") found.push_back(task);
  }
  closedir(folder);
  return found;
}

template <typename Condition>
bool comes_true(Condition condition) {
  const auto start = std::chrono::steady_clock::now();
  while (!condition()) {
    if (std::chrono::steady_clock::now() - start > kGiveUp) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

struct Trimmed : Retained {
  explicit Trimmed(TrimmerChoice choice) : Trimmed(options_for(choice)) {}
  explicit Trimmed(const Options& options) : Retained(PoolMode::kLocked, options) {
    trimmer.open(options, &retention);
    platform::learn_thread_needs();
  }

  static Options options_for(TrimmerChoice choice) {
    Options options = default_options();
    options.trimmer = choice;
    options.retain_time = 300;
    return options;
  }

  // Acts like a program that goes on. A thread is not started from libc or the loader, nor from the
  // pool's own code, which these tests are linked to.
  void slow_paths() {
    const void* const caller = dlsym(RTLD_DEFAULT, "_ZSt9terminatev");
    for (int i = 0; i < kEnoughCalls; ++i) trimmer.after_slow_path(0, caller);
  }
  bool is(Trimmer::State state) const { return trimmer.state() == state; }
  bool runs() {
    return comes_true(
        [&] { return is(Trimmer::State::kRunning) && trimmer_threads().size() == 1; });
  }
  bool gives_all_back() {
    return comes_true([&] { return retention.idle_bytes() == 0; });
  }
  bool leaves() {
    return comes_true([&] { return is(Trimmer::State::kNone) && trimmer_threads().empty(); });
  }

  Trimmer trimmer;
};

// Each test has a process of its own, in which the thread goes on to its end.
#define TRIMMER_TEST(name, choice)                              \
  int name(Trimmed& own);                                       \
  TEST(Trimmer, name) {                                         \
    EXPECT_EQ(in_child([] {                                     \
                auto* own = new Trimmed(TrimmerChoice::choice); \
                return name(*own);                              \
              }),                                               \
              0);                                               \
  }                                                             \
  int name(Trimmed& own)
#define EXPECT_OR_LINE(condition) \
  if (!(condition)) return __LINE__

TRIMMER_TEST(IsNotThereForALittleMemory, kAuto) {
  own.leave_idle(kMiddle, policy::kThreadThreshold - kMiB);
  own.slow_paths();
  EXPECT_OR_LINE(own.is(Trimmer::State::kNone));
  EXPECT_OR_LINE(trimmer_threads().empty());
  return 0;
}

TRIMMER_TEST(StartsByItselfGivesAllBackAndLeaves, kAuto) {
  own.leave_idle(kMiddle, 40 * kMiB);
  own.slow_paths();
  EXPECT_OR_LINE(own.runs());
  EXPECT_OR_LINE(own.gives_all_back());
  EXPECT_OR_LINE(own.leaves());
  return 0;
}

TRIMMER_TEST(ComesAgainWhenItIsNeededAgain, kAuto) {
  for (int round = 0; round < 2; ++round) {
    own.leave_idle(kMiddle, 20 * kMiB);
    own.slow_paths();
    EXPECT_OR_LINE(own.runs());
    EXPECT_OR_LINE(own.leaves());
    EXPECT_OR_LINE(own.retention.idle_bytes() == 0);
  }
  return 0;
}

TRIMMER_TEST(WhatIsAboutToBeIdleCounts, kAuto) {
  const void* const caller = dlsym(RTLD_DEFAULT, "_ZSt9terminatev");
  own.trimmer.after_slow_path(0, caller);  // the first is looked at in any case
  own.trimmer.after_slow_path(policy::kThreadThreshold, caller);
  EXPECT_OR_LINE(own.runs());
  return 0;
}

TRIMMER_TEST(IsNotStartedFromWhereLocksMayBeHeld, kAuto) {
  own.leave_idle(kMiddle, 20 * kMiB);
  for (int i = 0; i < kEnoughCalls; ++i) {
    own.trimmer.after_slow_path(0, dlsym(RTLD_DEFAULT, "qsort"));
    own.trimmer.after_slow_path(0, nullptr);
  }
  EXPECT_OR_LINE(own.is(Trimmer::State::kNone));
  EXPECT_OR_LINE(trimmer_threads().empty());
  return 0;
}

TRIMMER_TEST(IsThereFromTheStartWhereItIsToBe, kOn) {
  EXPECT_OR_LINE(own.is(Trimmer::State::kNone));
  own.trimmer.at_start();
  EXPECT_OR_LINE(own.runs());
  own.leave_idle(kMiddle, kMiB);
  EXPECT_OR_LINE(own.gives_all_back());
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  EXPECT_OR_LINE(own.runs());
  return 0;
}

TRIMMER_TEST(IsNotThereFromTheStartByItself, kAuto) {
  own.trimmer.at_start();
  EXPECT_OR_LINE(own.is(Trimmer::State::kNone));
  return 0;
}

TRIMMER_TEST(WhereItIsForbiddenTheSlowPathsDoItsWork, kOff) {
  own.trimmer.at_start();
  own.leave_idle(kMiddle, 40 * kMiB);
  EXPECT_OR_LINE(comes_true([&] {
    own.slow_paths();
    return own.retention.idle_bytes() < policy::kThreadThreshold;
  }));
  EXPECT_OR_LINE(own.is(Trimmer::State::kNone));
  EXPECT_OR_LINE(trimmer_threads().empty());
  return 0;
}

TRIMMER_TEST(AllItsSignalsAreBlocked, kOn) {
  own.trimmer.at_start();
  EXPECT_OR_LINE(own.runs());
  std::ifstream status(trimmer_threads()[0] + "/status");
  std::string line;
  while (std::getline(status, line) && line.rfind("SigBlk:", 0) != 0) {
  }
  const std::uint64_t blocked = std::stoull(line.substr(7), nullptr, 16);
  // Nobody can block SIGKILL, SIGSTOP and the two that libc keeps for itself.
  constexpr std::uint64_t kCannot = 1ULL << 8 | 1ULL << 18 | 1ULL << 31 | 1ULL << 32;
  // ThreadSanitizer lets the signals through that tell of a mistake.
  constexpr std::uint64_t kFaults = 1ULL << 3 | 1ULL << 4 | 1ULL << 6 | 1ULL << 7 | 1ULL << 10;
  const std::uint64_t excused =
      kCannot | (kThreadSanitizer ? kFaults | 1ULL << 12 | 1ULL << 30 : 0);
  EXPECT_OR_LINE((blocked | excused) == ~std::uint64_t{0});
  return 0;
}

TRIMMER_TEST(AForkedChildGetsItsOwnWhenItNeedsOne, kAuto) {
  if (kThreadSanitizer) return 0;  // which dies of a thread started by a forked child
  own.leave_idle(kMiddle, 40 * kMiB);
  own.slow_paths();
  EXPECT_OR_LINE(own.runs());
  OwnerLock::begin_fork();
  own.cache.slabs().sharing().before_fork();
  for (SharedSpans& spans : own.spans) spans.lock().await_owner();
  const pid_t child = fork();
  if (child == 0) {
    OwnerLock::enter_process();
    own.trimmer.forget_in_child();
  }
  OwnerLock::end_fork();
  if (child != 0) return wait_for(child);
  EXPECT_OR_LINE(own.is(Trimmer::State::kNone));
  EXPECT_OR_LINE(trimmer_threads().empty());
  own.leave_idle(kMiddle, 60 * kMiB);
  own.slow_paths();
  EXPECT_OR_LINE(own.runs());
  EXPECT_OR_LINE(own.gives_all_back());
  _exit(0);
}

// A child of vfork is one, and shares all memory with its parent.
TRIMMER_TEST(AChildThatRanNoHandlersStartsNone, kAuto) {
  own.leave_idle(kMiddle, 40 * kMiB);
  return in_child([&] {
    own.slow_paths();
    EXPECT_OR_LINE(own.is(Trimmer::State::kNone));
    EXPECT_OR_LINE(trimmer_threads().empty());
    return 0;
  });
}

// The process is a copy, and so is what its parent noted of the thread.
TRIMMER_TEST(ACopyOfTheProcessForgetsTheThread, kOn) {
  own.trimmer.at_start();
  EXPECT_OR_LINE(own.runs());
  const int in_copy = in_child([&] {
    own.leave_idle(kMiddle, 40 * kMiB);
    own.slow_paths();
    EXPECT_OR_LINE(own.is(Trimmer::State::kNone));
    EXPECT_OR_LINE(own.retention.idle_bytes() <= policy::kThreadThreshold);
    EXPECT_OR_LINE(trimmer_threads().empty());
    own.trimmer.leave_for_good();  // does not wait for a thread that is not there
    return 0;
  });
  EXPECT_OR_LINE(own.runs());
  return in_copy;
}

}  // namespace
}  // namespace bufpool
