// SPDX-License-Identifier: MIT
// Tests how much is told of pressure, by fake files that refuse a trigger and by this kernel.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "pool/platform/pressure.h"
#include "tests/unit/fake_tree.h"
#include "tests/unit/in_child.h"

namespace bufpool::platform {
namespace {

using Mode = PressureWatch::Mode;

// Finds out by hand what this user may have of the machine's pressure.
Mode mode_to_be_had() {
  constexpr char kRule[] = "some 200000 2000000";
  const char* const path = "/proc/pressure/memory";
  const int trigger = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  const bool granted = trigger >= 0 && write(trigger, kRule, sizeof kRule) > 0;
  if (trigger >= 0) close(trigger);
  if (granted) return Mode::kTrigger;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  char byte;
  const bool readable = file >= 0 && read(file, &byte, 1) == 1;
  if (file >= 0) close(file);
  return readable ? Mode::kPolling : Mode::kNone;
}

class Polling : public Watch {
 protected:
  // It writes through a descriptor from before the child became nobody.
  void SetUp() override {
    Watch::SetUp();
    put_pressure(0444);
    const std::string file = root_ + "/sys/fs/cgroup/shop/memory.pressure";
    ASSERT_EQ(chmod(file.c_str(), 0644), 0);
    writer_ = open(file.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(chmod(file.c_str(), 0444), 0);
    ASSERT_GE(writer_, 0);
  }

  void TearDown() override {
    close(writer_);
    Watch::TearDown();
  }

  bool set_stalls(std::uint64_t total) const {
    const std::string text = stalls(total);
    return ftruncate(writer_, 0) == 0 &&
           pwrite(writer_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  }

  int writer_ = -1;
};

constexpr std::uint32_t kAskMs = 1100;
constexpr std::uint64_t kSecondUs = 1000000;

TEST_F(Polling, TellsStallsOfATenthOfTheTime) {
  EXPECT_EQ(in_child([this] {
              if (!become_nobody()) return __LINE__;
              if (open_fake() != Mode::kPolling) return __LINE__;
              if (watch_.wait(kAskMs)) return __LINE__;  // nothing new
              set_stalls(100 * kSecondUs);
              if (!watch_.wait(kAskMs)) return __LINE__;
              set_stalls(100 * kSecondUs + 1000);  // too little
              return watch_.wait(kAskMs) ? __LINE__ : 0;
            }),
            0);
}

TEST_F(Polling, AsksOnceASecondAtMost) {
  EXPECT_EQ(in_child([this] {
              if (!become_nobody()) return __LINE__;
              if (open_fake() != Mode::kPolling) return __LINE__;
              set_stalls(100 * kSecondUs);
              const Stopwatch time;
              if (watch_.wait(1) && time.ms() < 900) return __LINE__;
              return watch_.wait(kAskMs) || time.ms() > 2000 ? 0 : __LINE__;
            }),
            0);
}

TEST_F(Polling, EndsWhereNothingCanBeReadAnyMore) {
  EXPECT_EQ(in_child([this] {
              if (!become_nobody()) return __LINE__;
              if (open_fake() != Mode::kPolling) return __LINE__;
              set_stalls(50 * kSecondUs);
              if (ftruncate(writer_, 0) != 0) return __LINE__;
              if (watch_.wait(kAskMs)) return __LINE__;
              return watch_.mode() == Mode::kNone ? 0 : __LINE__;
            }),
            0);
}

class Kernel : public testing::Test {
 protected:
  PressureWatch watch_;
};

TEST_F(Kernel, GivesThisUserWhatItMayHave) {
  const Mode expected = mode_to_be_had();
  if (expected == Mode::kNone) GTEST_SKIP() << "the kernel tells nothing of pressure";
  EXPECT_EQ(watch_.open(), expected);
  watch_.wait(10);
  EXPECT_EQ(watch_.mode(), expected);
  watch_.close();
}

TEST_F(Kernel, GivesNobodyWhatItMayHave) {
  const int status = in_child([this] {
    if (!become_nobody()) return kSkipped;
    const Mode expected = mode_to_be_had();
    if (expected == Mode::kNone) return kSkipped;
    if (watch_.open() != expected) return __LINE__;
    watch_.wait(10);
    return watch_.mode() == expected ? 0 : __LINE__;
  });
  if (status == kSkipped) GTEST_SKIP() << "no other user, or the kernel tells nothing of pressure";
  EXPECT_EQ(status, 0);
}

// Waiting for a processor is easier to bring about than waiting for memory, and is told alike. Two
// threads for each processor are busy.
TEST_F(Watch, TellsThatATriggerOfTheKernelFired) {
  put_link("/sys/fs/cgroup/shop/memory.pressure", "/proc/pressure/cpu");
  if (open_fake() != Mode::kTrigger) GTEST_SKIP() << "no trigger is to be had";
  std::atomic<bool> done{false};
  std::vector<std::thread> busy;
  for (unsigned i = 0; i < 2 * std::max(1U, std::thread::hardware_concurrency()); ++i) {
    busy.emplace_back([&done] {
      while (!done.load()) {
      }
    });
  }
  const Stopwatch time;
  bool fired = false;
  while (!fired && time.ms() < kSoonMs) fired = watch_.wait(1000);
  done.store(true);
  for (std::thread& thread : busy) thread.join();
  EXPECT_TRUE(fired);
  EXPECT_EQ(watch_.mode(), Mode::kTrigger);
}

// Makes a group of the real kind, in a tree that says it is ours.
class RealGroup : public Watch {
 protected:
  void SetUp() override {
    Watch::SetUp();
    for (const char* mounted : {"/sys/fs/cgroup/", "/sys/fs/cgroup/unified/"}) {
      if (access((std::string(mounted) + "memory.pressure").c_str(), F_OK) != 0) continue;
      group_ = mounted + ("bufpool_test_" + std::to_string(getpid()));
      if (mkdir(group_.c_str(), 0755) == 0) return;
    }
    GTEST_SKIP() << "no control group may be made here";
  }

  void TearDown() override {
    rmdir(group_.c_str());
    Watch::TearDown();
  }

  std::string group_;
};

TEST_F(RealGroup, WithoutItThereIsNoTrigger) {
  put_link("/sys/fs/cgroup/shop", group_);
  ASSERT_EQ(open_fake(), Mode::kTrigger);
  EXPECT_FALSE(watch_.wait(10));
  EXPECT_EQ(watch_.mode(), Mode::kTrigger);
  ASSERT_EQ(rmdir(group_.c_str()), 0);
  EXPECT_FALSE(watch_.wait(1000));
  EXPECT_EQ(watch_.mode(), Mode::kNone);
}

}  // namespace
}  // namespace bufpool::platform
