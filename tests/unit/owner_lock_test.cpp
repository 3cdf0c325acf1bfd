// SPDX-License-Identifier: MIT
#include "pool/sync/owner_lock.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>
#include <thread>
#include <vector>

#include "tests/unit/in_child.h"

namespace bufpool {
namespace {

using namespace std::chrono_literals;

void hold_for_fork(OwnerLock& lock) {
  OwnerLock::begin_fork();
  lock.await_owner();
}

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

// It is so even if a waiter has marked the lock.
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

// Returns how long a thread that waits for the lock goes on waiting once the lock is free.
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

// Without a wake-up it would take the second that wait_on() sleeps at most. A busy machine may let
// a woken thread wait as long, but not time and again.
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

// A system call forks, so no handlers run, while another thread is the owner. In the child that
// thread does not exist.
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

// Tells whether another thread can have the lock, which it gives back then.
bool can_be_had_elsewhere(OwnerLock& lock) {
  bool had = false;
  std::thread([&] {
    had = lock.lock();
    if (had) lock.unlock();
  }).join();
  return had;
}

TEST_F(OwnerLockTest, HeldForForksItTurnsAllAwayUntilTheLastLetsGo) {
  hold_for_fork(lock_);
  EXPECT_FALSE(lock_.lock());
  EXPECT_FALSE(can_be_had_elsewhere(lock_));
  std::thread([&] { hold_for_fork(lock_); }).join();
  OwnerLock::end_fork();
  EXPECT_FALSE(can_be_had_elsewhere(lock_)) << "the other fork is not done";
  OwnerLock::end_fork();
  EXPECT_TRUE(can_be_had_elsewhere(lock_));
  OwnerLock::end_fork();
  EXPECT_TRUE(lock_.lock());
  OwnerLock::end_fork();
  EXPECT_FALSE(can_be_had_elsewhere(lock_)) << "an owner is not a fork";
  lock_.unlock();
}

// One wake-up is given, and it has to reach all of them. None sleeps out its second.
TEST_F(OwnerLockTest, SleepersAreTurnedAwayWhenAForkTakesIt) {
  auto least = 10s + 0ns;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(lock_.lock());
    std::vector<std::thread> waiters;
    for (int t = 0; t < 4; ++t) {
      waiters.emplace_back([&] {
        if (lock_.lock()) lock_.unlock();
      });
    }
    std::this_thread::sleep_for(20ms);
    const auto released = std::chrono::steady_clock::now();
    lock_.unlock();
    hold_for_fork(lock_);
    for (std::thread& waiter : waiters) waiter.join();
    least = std::min<std::chrono::nanoseconds>(least, std::chrono::steady_clock::now() - released);
    OwnerLock::end_fork();
  }
  EXPECT_LT(least, 700ms);
}

TEST_F(OwnerLockTest, AForkWaitsForTheOwner) {
  std::atomic<bool> unlocked{false};
  ASSERT_TRUE(lock_.lock());
  std::thread fork([&] {
    hold_for_fork(lock_);
    EXPECT_TRUE(unlocked);
    OwnerLock::end_fork();
  });
  std::this_thread::sleep_for(20ms);
  unlocked = true;
  lock_.unlock();
  fork.join();
}

// A signal handler in the owner forks. On both sides the owner goes on as such.
TEST_F(OwnerLockTest, AForkByTheOwnerLeavesItTheOwner) {
  ASSERT_TRUE(lock_.lock());
  hold_for_fork(lock_);
  EXPECT_EQ(in_child([&] {
              OwnerLock::enter_process();
              lock_.repair_in_child();
              if (lock_.lock()) return __LINE__;
              lock_.unlock();
              return lock_.lock() ? 0 : __LINE__;
            }),
            0);
  OwnerLock::end_fork();
  EXPECT_FALSE(lock_.lock());
  lock_.unlock();
  EXPECT_TRUE(can_be_had_elsewhere(lock_));
}

TEST_F(OwnerLockTest, WhatForksHoldIsFreeInTheChild) {
  hold_for_fork(lock_);
  hold_for_fork(lock_);
  EXPECT_EQ(in_child([&] {
              lock_.repair_in_child();
              OwnerLock::enter_process();
              if (!lock_.lock()) return __LINE__;
              lock_.unlock();
              OwnerLock::end_fork();  // of a fork that a signal handler's fork interrupted
              return lock_.lock() ? 0 : __LINE__;
            }),
            0);
  OwnerLock::end_fork();
  OwnerLock::end_fork();
}

// Starts a thread that owns the lock as long as this lives.
class Owner {
 public:
  explicit Owner(OwnerLock& lock) {
    thread_ = std::thread([&] {
      ASSERT_TRUE(lock.lock());
      stage_ = 1;
      while (stage_ != 2) std::this_thread::sleep_for(1ms);
      lock.unlock();
    });
    while (stage_ != 1) std::this_thread::sleep_for(1ms);
  }
  ~Owner() { end(); }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;

  void end() {
    stage_ = 2;
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<int> stage_{0};
  std::thread thread_;
};

// A thread that comes upon the shut gate has named itself in the word, and may do so at the moment
// of the fork.
TEST_F(OwnerLockTest, WhoWasBeingTurnedAwayLeavesTheLockFreeInTheChild) {
  const Owner owner(lock_);
  OwnerLock::begin_fork();
  EXPECT_EQ(in_child([&] {
              lock_.repair_in_child();
              OwnerLock::enter_process();
              return lock_.lock() ? 0 : __LINE__;
            }),
            0);
  OwnerLock::end_fork();
}

// The gate was open when the child was made. It is so after a fork in a handler that interrupted
// this one.
TEST_F(OwnerLockTest, WorkThatMayBeHalfDoneKeepsTheLockOutOfServiceInTheChild) {
  const Owner owner(lock_);
  EXPECT_EQ(in_child([&] {
              lock_.repair_in_child();
              OwnerLock::enter_process();
              return lock_.lock() ? __LINE__ : 0;
            }),
            0);
}

// No thread is in the midst of its work when a fork takes place, so a plain pair is never seen
// torn.
TEST_F(OwnerLockTest, WhileAForkIsUnderWayNobodyIsAtWork) {
  constexpr int kForks = kThreadSanitizer ? 500 : 5000;
  std::uint64_t pair[2] = {};
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::atomic<std::uint64_t> admitted{0};
  std::vector<std::thread> workers;
  for (int t = 0; t < 3; ++t) {
    workers.emplace_back([&] {
      while (!stop) {
        if (!lock_.lock()) continue;
        const std::uint64_t next = pair[0] + 1;
        pair[0] = next;
        if (next % 16 == 0) sched_yield();
        pair[1] = next;
        lock_.unlock();
        ++admitted;
      }
    });
  }
  std::vector<std::thread> forkers;
  for (int t = 0; t < 2; ++t) {
    forkers.emplace_back([&] {
      for (int i = 0; i < kForks; ++i) {
        hold_for_fork(lock_);
        const std::uint64_t first = pair[0];
        if (i % 64 == 0) sched_yield();
        torn += pair[1] != first;
        OwnerLock::end_fork();
        if (i % 64 == 0) sched_yield();
      }
    });
  }
  for (std::thread& forker : forkers) forker.join();
  const std::uint64_t before = admitted;
  while (admitted == before) sched_yield();  // the gate is open again
  stop = true;
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(pair[0], admitted);
}

// A fork does not write to the lock that it finds free.
TEST_F(OwnerLockTest, AForkLeavesAFreeLockAsItIs) {
  const std::size_t page = 4096;
  void* const memory =
      mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* const lock = new (memory) OwnerLock;
  ASSERT_TRUE(lock->lock());
  lock->unlock();
  ASSERT_EQ(mprotect(memory, page, PROT_READ), 0);
  hold_for_fork(*lock);
  EXPECT_EQ(in_child([&] {
              lock->repair_in_child();
              OwnerLock::enter_process();
              return 0;
            }),
            0);
  OwnerLock::end_fork();
  munmap(memory, page);
}

// In a child that ran no handlers the owner is gone. It is gone in that child's own child, too,
// which did run them.
TEST_F(OwnerLockTest, AnOwnerThatIsGoneStaysGoneInTheChildsChild) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer has to see a fork";
  const Owner owner(lock_);
  const auto child = static_cast<pid_t>(syscall(SYS_fork));
  if (child == 0) {
    alarm(5);
    hold_for_fork(lock_);
    OwnerLock::enter_process();
    lock_.repair_in_child();
    hold_for_fork(lock_);
    lock_.repair_in_child();
    syscall(SYS_exit_group, lock_.lock() ? 1 : 0);
  }
  EXPECT_EQ(wait_for(child), 0);
}

// The owner may be gone and its process have the same id, in a namespace of its own. An owner that
// was only stopped goes on to free the lock.
TEST_F(OwnerLockTest, NobodyWaitsForEverForOneOwner) {
  Owner owner(lock_);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(lock_.lock());
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1s) << "an owner is waited for";
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(lock_.lock()) << "and only once";
  owner.end();
  EXPECT_TRUE(lock_.lock());
}

}  // namespace
}  // namespace bufpool
