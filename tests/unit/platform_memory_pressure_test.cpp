// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "pool/platform_memory.h"
#include "tests/unit/fake_tree.h"
#include "tests/unit/in_child.h"

namespace bufpool::platform {
namespace {

using Mode = PressureWatch::Mode;

std::vector<int> open_descriptors() {
  std::vector<int> open;
  for (int i = 0; i < 4096; ++i) {
    if (fcntl(i, F_GETFD) >= 0) open.push_back(i);
  }
  return open;
}

std::vector<int> opened_since(const std::vector<int>& before) {
  std::vector<int> since;
  for (const int number : open_descriptors()) {
    if (std::find(before.begin(), before.end(), number) == before.end()) since.push_back(number);
  }
  return since;
}

bool is_socket(int number) {
  struct stat file = {};
  return fstat(number, &file) == 0 && S_ISSOCK(file.st_mode);
}

TEST_F(Watch, HasNoModeBeforeItIsOpen) {
  EXPECT_EQ(watch_.mode(), Mode::kNone);
  EXPECT_FALSE(watch_.wait(1));
  watch_.wake();
  watch_.close();
}

TEST_F(Watch, HasNoModeWhereNothingIsToldOfPressure) {
  const std::vector<int> before = open_descriptors();
  EXPECT_EQ(open_fake(), Mode::kNone);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Watch, SetsItsTriggerOnTheNearestFile) {
  const char* const places[] = {"/proc/pressure/memory", "/sys/fs/cgroup/unified/memory.pressure",
                                "/sys/fs/cgroup/memory.pressure",
                                "/sys/fs/cgroup/shop/memory.pressure"};
  for (const char* place : places) {
    put(place, "");
    EXPECT_EQ(open_fake(), Mode::kTrigger);
    std::ifstream file(root_ + place);
    std::string rule;
    std::getline(file, rule, '\0');
    EXPECT_EQ(rule, "some 200000 2000000") << place;
  }
}

TEST_F(Watch, KeepsItsDescriptorsOutOfTheWay) {
  put_pressure();
  const std::vector<int> before = open_descriptors();
  ASSERT_EQ(open_fake(), Mode::kTrigger);
  const std::vector<int> ours = opened_since(before);
  EXPECT_EQ(ours.size(), 3U);
  for (const int number : ours) {
    EXPECT_GE(number, 900);
    EXPECT_EQ(fcntl(number, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  }
  watch_.close();
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(watch_.mode(), Mode::kNone);
}

TEST_F(Watch, TakesLowNumbersWhereThereAreNoOthers) {
  put_pressure();
  EXPECT_EQ(in_child([this] {
              const rlimit few{64, 64};
              if (setrlimit(RLIMIT_NOFILE, &few) != 0) return __LINE__;
              close(0);
              if (open_fake() != Mode::kTrigger) return __LINE__;
              if (fcntl(0, F_GETFD) >= 0) return __LINE__;
              watch_.wake();
              const Stopwatch time;
              watch_.wait(kForeverMs);
              return time.ms() < kSoonMs ? 0 : __LINE__;
            }),
            0);
}

// Each way of sleeping, by the tree that leads to it.
class WatchInMode : public Watch, public testing::WithParamInterface<Mode> {
 protected:
  void open_mode() {
    if (GetParam() == Mode::kTrigger) put_pressure();
    ASSERT_EQ(open_fake(), GetParam());
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, WatchInMode, testing::Values(Mode::kNone, Mode::kTrigger),
                         [](const auto& mode) {
                           return mode.param == Mode::kTrigger ? "Trigger" : "None";
                         });

TEST_P(WatchInMode, SleepsAboutAsLongAsAsked) {
  open_mode();
  const Stopwatch time;
  EXPECT_FALSE(watch_.wait(300));
  EXPECT_GE(time.ms(), 100);
  EXPECT_LT(time.ms(), kSoonMs);
}

TEST_P(WatchInMode, WakesASleeper) {
  open_mode();
  const Stopwatch time;
  std::thread sleeper([this] { EXPECT_FALSE(watch_.wait(kForeverMs)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  watch_.wake();
  sleeper.join();
  EXPECT_LT(time.ms(), kSoonMs);
}

TEST_P(WatchInMode, WakesWhoeverSleepsNextOnce) {
  open_mode();
  for (int i = 0; i < 5000; ++i) watch_.wake();
  const Stopwatch first;
  EXPECT_FALSE(watch_.wait(kForeverMs));
  EXPECT_LT(first.ms(), kSoonMs);
  const Stopwatch second;
  EXPECT_FALSE(watch_.wait(300));
  EXPECT_GE(second.ms(), 100);
}

// The thread that opens it is on its way when others have a reason to wake it.
TEST_P(WatchInMode, KeepsAWakeFromBeforeItWasOpen) {
  watch_.wake();
  open_mode();
  const Stopwatch time;
  EXPECT_FALSE(watch_.wait(kForeverMs));
  EXPECT_LT(time.ms(), kSoonMs);
}

TEST_P(WatchInMode, LosesNoWakeAmongManyThreads) {
  open_mode();
  constexpr int kThreads = 4;
  constexpr int kWakes = 500;
  std::atomic<int> done{0};
  std::vector<std::thread> wakers;
  for (int i = 0; i < kThreads; ++i) {
    wakers.emplace_back([&] {
      for (int j = 0; j < kWakes; ++j) {
        done.fetch_add(1);
        watch_.wake();
      }
    });
  }
  // Each wait ends by a wake, or this takes minutes.
  const Stopwatch time;
  while (done.load() < kThreads * kWakes) watch_.wait(kForeverMs);
  EXPECT_LT(time.ms(), kSoonMs);
  for (std::thread& waker : wakers) waker.join();
}

TEST_P(WatchInMode, KeepsErrno) {
  if (GetParam() == Mode::kTrigger) put_pressure();
  errno = ENOTTY;
  open_fake();
  watch_.wait(1);
  watch_.wake();
  watch_.wait(1);
  watch_.close();
  EXPECT_EQ(errno, ENOTTY);
}

// Daemons close all numbers, and open files of their own there.
TEST_F(Watch, LeavesNumbersAloneThatAreNotItsOwnAnyMore) {
  put_pressure();
  const std::vector<int> before = open_descriptors();
  ASSERT_EQ(open_fake(), Mode::kTrigger);
  const std::vector<int> ours = opened_since(before);
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  for (const int number : ours) ASSERT_EQ(dup2(pair[0], number), number);

  watch_.wake();
  const Stopwatch time;
  EXPECT_FALSE(watch_.wait(kForeverMs)) << "it was woken";
  EXPECT_LT(time.ms(), kSoonMs);
  EXPECT_EQ(watch_.mode(), Mode::kNone);
  watch_.close();
  char byte;
  EXPECT_LT(recv(pair[1], &byte, 1, 0), 0) << "something was written into the program's socket";
  for (const int number : ours) EXPECT_EQ(close(number), 0) << "closed for the program";
  close(pair[0]);
  close(pair[1]);
}

TEST_F(Watch, SleepsOnWhenItsDescriptorsAreClosedMeanwhile) {
  if (kThreadSanitizer) GTEST_SKIP() << "closing what another thread waits for is a race to it";
  put_pressure();
  const std::vector<int> before = open_descriptors();
  ASSERT_EQ(open_fake(), Mode::kTrigger);
  std::thread sleeper([this] { watch_.wait(kForeverMs); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const Stopwatch time;
  for (const int number : opened_since(before)) close(number);
  watch_.wake();
  sleeper.join();
  EXPECT_LT(time.ms(), kSoonMs);
  const Stopwatch plain;
  EXPECT_FALSE(watch_.wait(300));
  EXPECT_GE(plain.ms(), 100);
  EXPECT_EQ(watch_.mode(), Mode::kNone);
}

// One end only: the other one must not end every wait.
TEST_F(Watch, WakesWithoutOneOfItsSockets) {
  put_pressure();
  for (const std::size_t lost : {0, 1}) {
    watch_.close();
    const std::vector<int> before = open_descriptors();
    ASSERT_EQ(open_fake(), Mode::kTrigger);
    std::vector<int> sockets = opened_since(before);
    std::erase_if(sockets, [](int number) { return !is_socket(number); });
    ASSERT_EQ(sockets.size(), 2U);
    close(sockets[lost]);
    const Stopwatch undisturbed;
    EXPECT_FALSE(watch_.wait(600));
    EXPECT_GE(undisturbed.ms(), 300);
    const Stopwatch time;
    std::thread sleeper([this] { EXPECT_FALSE(watch_.wait(kForeverMs)); });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    watch_.wake();
    sleeper.join();
    EXPECT_LT(time.ms(), kSoonMs);
    EXPECT_EQ(watch_.mode(), Mode::kTrigger);
  }
}

// As sshd's child does before it touches what a stranger sent.
TEST_F(Watch, DoesNotSpinWhereDescriptorsAreForbidden) {
  put_pressure();
  EXPECT_EQ(in_child([this] {
              if (open_fake() != Mode::kTrigger) return __LINE__;
              const rlimit none{0, 0};
              if (setrlimit(RLIMIT_NOFILE, &none) != 0) return __LINE__;
              watch_.wait(300);
              const Stopwatch time;
              watch_.wait(300);
              if (time.ms() < 100) return __LINE__;
              return watch_.mode() == Mode::kNone ? 0 : __LINE__;
            }),
            0);
}

TEST_F(Watch, OfAChildLeavesTheParentsAlone) {
  put_pressure();
  ASSERT_EQ(open_fake(), Mode::kTrigger);
  const std::vector<int> before = open_descriptors();
  EXPECT_EQ(in_child([this] {
              watch_.close();
              if (watch_.mode() != Mode::kNone) return __LINE__;
              if (open_fake() != Mode::kTrigger) return __LINE__;
              watch_.wake();
              const Stopwatch time;
              watch_.wait(kForeverMs);
              return time.ms() < kSoonMs ? 0 : __LINE__;
            }),
            0);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(watch_.mode(), Mode::kTrigger);
  const Stopwatch time;
  EXPECT_FALSE(watch_.wait(300));
  EXPECT_GE(time.ms(), 100) << "the child's wake ended the parent's wait";
}

}  // namespace
}  // namespace bufpool::platform
