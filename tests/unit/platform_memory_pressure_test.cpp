// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "pool/platform/pressure.h"
#include "pool/platform/threads.h"
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

// Returns 0 if a trigger that fails at once is given up, or the line of the check that fails.
int fault_of_giving_up(PressureWatch& watch) {
  const Stopwatch first;
  if (watch.wait(kForeverMs) || first.ms() > kSoonMs) return __LINE__;
  if (watch.mode() != Mode::kNone) return __LINE__;
  const Stopwatch second;
  if (watch.wait(300)) return __LINE__;
  return second.ms() >= 100 ? 0 : __LINE__;
}

TEST_F(Watch, HasNoModeBeforeItIsOpen) {
  EXPECT_EQ(watch_.mode(), Mode::kNone);
  EXPECT_FALSE(watch_.wait(1));
  watch_.close();
}

TEST_F(Watch, HasNoModeWhereNothingIsToldOfPressure) {
  const std::vector<int> before = open_descriptors();
  EXPECT_EQ(open_fake(), Mode::kNone);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Watch, HoldsNoFileThatRefusesTheTrigger) {
  put_link("/proc/pressure/memory", "/dev/full");
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

TEST_F(Watch, HoldsOneDescriptorAndClosesIt) {
  put_pressure();
  const std::vector<int> before = open_descriptors();
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(open_fake(), Mode::kTrigger);
    const std::vector<int> ours = opened_since(before);
    ASSERT_EQ(ours.size(), 1U);
    EXPECT_EQ(fcntl(ours[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  }
  watch_.close();
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(watch_.mode(), Mode::kNone);
}

// The trimmer's thread has it so: nobody can reach the trigger, and no child is born with it.
TEST_F(Watch, IsOutOfReachInATableOfItsOwn) {
  put_pressure();
  const std::vector<int> before = open_descriptors();
  bool left = false;
  std::thread([&] {
    left = leave_descriptors();
    if (!left) return;
    EXPECT_EQ(open_fake(), Mode::kTrigger);
    EXPECT_EQ(open_descriptors(), std::vector<int>{3}) << "above those of standard streams";
    EXPECT_FALSE(watch_.wait(1));
    EXPECT_EQ(watch_.mode(), Mode::kTrigger);
    watch_.close();
    EXPECT_TRUE(open_descriptors().empty());
  }).join();
  EXPECT_EQ(open_descriptors(), before);
  if (!left) GTEST_SKIP() << "the kernel gives a thread no descriptors of its own";
}

// Runs in each way of sleeping, by the tree that leads to it.
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

// SIGALRM comes again and again, because on a busy machine the first may come before the wait.
TEST_P(WatchInMode, GoesOnAfterAnInterruptedWait) {
  open_mode();
  EXPECT_EQ(in_child([this] {
              struct sigaction action = {};
              action.sa_handler = [](int) {};
              const itimerval often{{0, 50000}, {0, 50000}};
              if (sigaction(SIGALRM, &action, nullptr) != 0) return __LINE__;
              if (setitimer(ITIMER_REAL, &often, nullptr) != 0) return __LINE__;
              const Stopwatch time;
              if (watch_.wait(kForeverMs)) return __LINE__;
              if (time.ms() > kSoonMs) return __LINE__;
              return watch_.mode() == GetParam() ? 0 : __LINE__;
            }),
            0);
}

TEST_P(WatchInMode, KeepsErrno) {
  if (GetParam() == Mode::kTrigger) put_pressure();
  errno = ENOTTY;
  open_fake();
  watch_.wait(1);
  watch_.close();
  EXPECT_EQ(errno, ENOTTY);
}

// One end of a terminal takes what is written, and hangs up with the other. The child leads no
// session that the terminal would become the controlling one of.
TEST_F(Watch, GivesATriggerUpThatFails) {
  const int status = in_child([this] {
    const int other = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];
    if (other < 0 || unlockpt(other) != 0 || ptsname_r(other, name, sizeof name) != 0) {
      return kSkipped;
    }
    put_link("/sys/fs/cgroup/shop/memory.pressure", name);
    if (open_fake() != Mode::kTrigger) return __LINE__;
    if (watch_.wait(1) || watch_.mode() != Mode::kTrigger) return __LINE__;
    close(other);
    return fault_of_giving_up(watch_);
  });
  if (status == kSkipped) GTEST_SKIP() << "no terminal is to be had";
  EXPECT_EQ(status, 0);
}

// sshd's child does so before it touches what a stranger sent.
TEST_F(Watch, DoesNotSpinWhereDescriptorsAreForbidden) {
  put_pressure();
  EXPECT_EQ(in_child([this] {
              if (open_fake() != Mode::kTrigger) return __LINE__;
              const rlimit none{0, 0};
              if (setrlimit(RLIMIT_NOFILE, &none) != 0) return __LINE__;
              return fault_of_giving_up(watch_);
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
              return open_fake() == Mode::kTrigger ? 0 : __LINE__;
            }),
            0);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(watch_.mode(), Mode::kTrigger);
  const Stopwatch time;
  EXPECT_FALSE(watch_.wait(300));
  EXPECT_GE(time.ms(), 100);
}

}  // namespace
}  // namespace bufpool::platform
