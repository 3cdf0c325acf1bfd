// SPDX-License-Identifier: MIT
#include "pool/owner_lock.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

using namespace std::chrono_literals;

class OwnerLockTest : public testing::Test {
 protected:
  void SetUp() override { OwnerLock::enter_process(); }

  OwnerLock lock_;
};

TEST_F(OwnerLockTest, CanBeHadAgainAfterUnlock) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(lock_.lock());
    lock_.unlock();
  }
}

TEST_F(OwnerLockTest, TheOwnerIsTurnedAwayAndStaysTheOwner) {
  ASSERT_TRUE(lock_.lock());
  EXPECT_FALSE(lock_.lock());
  EXPECT_FALSE(lock_.lock());
  lock_.unlock();
  EXPECT_TRUE(lock_.lock());
  lock_.unlock();
}

// Also when a waiter has marked the lock.
TEST_F(OwnerLockTest, TheOwnerIsTurnedAwayWhileAnotherWaits) {
  ASSERT_TRUE(lock_.lock());
  std::atomic<bool> had{false};
  std::thread waiter([&] {
    had = lock_.lock();
    lock_.unlock();
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(lock_.lock());
  EXPECT_FALSE(had);
  lock_.unlock();
  waiter.join();
  EXPECT_TRUE(had);
}

// How long a thread that waits for the lock goes on waiting once the lock is free.
std::chrono::nanoseconds wait_after_unlock(OwnerLock& lock) {
  EXPECT_TRUE(lock.lock());
  std::thread waiter([&] {
    if (lock.lock()) lock.unlock();
  });
  std::this_thread::sleep_for(10ms);
  const auto released = std::chrono::steady_clock::now();
  lock.unlock();
  waiter.join();
  return std::chrono::steady_clock::now() - released;
}

// Without a wake-up it would be the second that wait_on() sleeps at most. A busy machine may let a
// woken thread wait as long, but not time and again.
TEST_F(OwnerLockTest, ASleeperIsWokenAtOnce) {
  for (int i = 0; i < 5; ++i) {
    bool soon = false;
    for (int attempt = 0; attempt < 10 && !soon; ++attempt) {
      soon = wait_after_unlock(lock_) < 700ms;
    }
    EXPECT_TRUE(soon);
  }
}

TEST_F(OwnerLockTest, OneAtATime) {
  constexpr int kThreads = 8;
  constexpr int kRounds = kThreadSanitizer ? 2000 : 20000;
  std::uint64_t sum = 0;  // guarded by the lock, and by nothing else
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        if (!lock_.lock()) {
          ++refused;
          continue;
        }
        const std::uint64_t before = sum;
        if (i % 64 == 0) sched_yield();
        sum = before + 1;
        lock_.unlock();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(sum, std::uint64_t{kThreads} * kRounds);
}

// A fork by system call, which runs no handlers, while another thread is the owner: in the child
// that thread does not exist.
TEST_F(OwnerLockTest, AChildWithoutHandlersIsTurnedAwayInsteadOfHanging) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer has to see a fork";
  std::atomic<int> stage{0};
  std::thread owner([&] {
    ASSERT_TRUE(lock_.lock());
    stage = 1;
    while (stage != 2) std::this_thread::sleep_for(1ms);
    lock_.unlock();
  });
  while (stage != 1) std::this_thread::sleep_for(1ms);
  const auto child = static_cast<pid_t>(syscall(SYS_fork));
  if (child == 0) {
    alarm(60);
    syscall(SYS_exit_group, lock_.lock() ? 1 : 0);
  }
  EXPECT_EQ(wait_for(child), 0);
  stage = 2;
  owner.join();
}

TEST_F(OwnerLockTest, ALockThatIsFreeCanBeHadInAnyChild) {
  EXPECT_EQ(in_child([&] { return lock_.lock() ? 0 : 1; }), 0);
}

TEST_F(OwnerLockTest, ResetFreesIt) {
  ASSERT_TRUE(lock_.lock());
  lock_.reset();
  EXPECT_TRUE(lock_.lock());
  lock_.unlock();
}

}  // namespace
}  // namespace bufpool
