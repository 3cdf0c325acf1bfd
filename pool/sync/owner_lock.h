// SPDX-License-Identifier: MIT
// The lock in this file knows which thread owns it. Where a plain lock would hang, this one is
// refused, and the caller does without it:
//   - A signal handler interrupted the owner and wants the lock.
//   - A fork is under way. Before libc forks, it waits for locks of its own. The threads that hold
//     those may want this lock.
//   - A child was made by a raw clone or by _Fork, which run no fork handlers, while another thread
//     was the owner. That thread does not exist in the child.
//
// A fork writes to no lock, because each page that is written has to be copied, in the parent or in
// the child. Instead, one gate stands in front of all locks, and a fork shuts it:
//   - A thread that takes a lock first writes itself into the lock's word and then looks at the
//     gate. If the gate is shut, it lets the lock go.
//   - A fork first shuts the gate and then looks at the words of the locks. It waits until no word
//     names an owner.
// Whichever of the two is first, one of them sees the other, so no thread works under a lock while
// the process is copied.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/options/policy.h"
#include "pool/platform/clock.h"
#include "pool/platform/process.h"
#include "pool/platform/waiting.h"
#include "pool/sync/thread_annotations.h"
#include "pool/sync/vforks.h"

namespace bufpool {

// Lets one thread at a time in. The lock has four bytes, and starts free when all of them are zero.
// A signal handler may call all functions. None of them allocates or changes errno.
class BUFPOOL_CAPABILITY("lock") OwnerLock {
 public:
  // Takes the lock. It waits for another owner, for policy::kLockPatienceMs at most. It returns
  // false if this thread is the owner already, if a fork is under way, if the owner is gone, or if
  // the patience ends. The caller must then do without the lock. ScopedLock is how to call it.
  [[nodiscard]] bool lock() noexcept BUFPOOL_TRY_ACQUIRE(true) BUFPOOL_NO_THREAD_ANALYSIS {
    std::uint32_t free = 0;
    const bool mine = word_.compare_exchange_strong(free, self());
    if (mine && !is_shut()) [[likely]]
      return true;
    return mine ? let_go() : lock_contended();
  }

  // Releases the lock and wakes one thread that waits. Pre: lock() returned true to this thread.
  void unlock() noexcept BUFPOOL_RELEASE() {
    if (word_.exchange(0, std::memory_order_release) & kWaiters) platform::wake_one(address());
  }

  // Begin and end a fork. A thread that forks calls begin_fork() before the fork, and end_fork()
  // after it in the parent. From the first begin_fork() on, all locks refuse all threads, until as
  // many forks have ended. end_fork() does nothing if no fork is under way.
  static void begin_fork() noexcept { gate_.forks.fetch_add(1); }
  static void end_fork() noexcept {
    std::uint32_t forks = gate_.forks.load(std::memory_order_relaxed);
    while (forks != 0 && !gate_.forks.compare_exchange_weak(forks, forks - 1)) {
    }
  }

  // Waits until no other thread owns the lock. If this thread is the owner itself, as when a signal
  // handler forks, it stays the owner, in the child too. If the owner is gone or keeps the lock for
  // longer than policy::kLockPatienceMs, the lock is out of service from then on. Pre:
  // begin_fork().
  void await_owner() noexcept {
    Patience patience;
    for (int spins = 0;; ++spins) {
      const std::uint32_t seen = word_.load();
      if (owner_of(seen) == 0) return pass_wakeup_on(spins > kSpins);
      if (owner_of(seen) == self()) return;
      if (!wait_for(seen, spins, patience)) orphan(seen);
    }
  }

  // Frees the lock in a forked child if its word names another thread. That thread had done nothing
  // under the lock: it was just being refused, because await_owner() had seen no owner. There is
  // one exception. If the gate was open meanwhile, as in the child of a fork in a signal handler
  // that interrupted this one, the thread may have done half its work. The lock is then out of
  // service. Pre: await_owner() was called before the fork; enter_process() was not called yet.
  void repair_in_child() noexcept {
    const std::uint32_t owner = owner_of(word_.load(std::memory_order_relaxed));
    if (owner == 0 || owner == self()) return;
    word_.store(fork_is_under_way() ? 0 : kOrphaned, std::memory_order_relaxed);
  }

  // Says that the threads of this process may own locks, and opens the gate. It is called at start,
  // and in a forked child after all locks are repaired. No fork is under way in the process then.
  static void enter_process() noexcept {
    Vforks::forget_in_copy();
    gate_.process.store(platform::process_id());
    gate_.times_entered.fetch_add(1, std::memory_order_relaxed);
    gate_.forks.store(0);
  }

  // Returns whether the gate is shut. It takes no lock.
  static bool fork_is_under_way() noexcept { return gate_.forks.load() != 0; }

  // Returns whether enter_process() was called in this process. It was not in a child that was made
  // by vfork, a raw clone or _Fork.
  static bool process_is_entered() noexcept {
    return platform::process_id() == gate_.process.load(std::memory_order_relaxed) &&
           !Vforks::is_child();
  }

  // Returns how often enter_process() was called, in this process and in the processes that it was
  // forked from. A note that was made at another number is the parent's.
  static std::uint32_t times_entered() noexcept {
    return gate_.times_entered.load(std::memory_order_relaxed);
  }

  // Holds what SlabRecords notes of a fork. It lies beside the gate because a fork writes there
  // anyway, and each page that is written is one to copy.
  struct ForkNotes {
    std::atomic<bool> copying;
    std::atomic<std::uintptr_t> copied_by;  // the thread that forks; 0 if no copy is complete
    std::uint32_t under_way;                // forks of that thread that have not ended yet
    bool is_child;                          // the process was forked since records were placed
    bool has_copies;                        // and its parent had made copies
    std::atomic<std::uint32_t> spares;      // what CacheCapacity notes for a forked child
  };
  // Returns them. It takes no lock.
  static ForkNotes& fork_notes() noexcept { return gate_.notes; }

  // Returns memory beside them, for what else a fork notes. It is aligned to a cache line.
  static constexpr std::size_t kForkRoom = 4096 - 64;
  static std::span<std::byte, kForkRoom> fork_room() noexcept { return gate_.room; }

 private:
  // The word is 0 if the lock is free. Else it names the owner and says whether others wait, or it
  // says that the owner is gone.
  static constexpr std::uint32_t kWaiters = 1;
  static constexpr std::uint32_t kOrphaned = 1u << 30;
  static constexpr std::uint32_t kOwned = 1u << 31;

  static constexpr int kSpins = 100;

  // Returns the number of this thread, which is 30 bits of its address. Two threads that lie a
  // multiple of 64 GiB apart have the same number. One of them is then refused where it could have
  // waited.
  static std::uint32_t self() noexcept {
    const auto pointer = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
    return static_cast<std::uint32_t>(pointer >> 6) << 1 | kOwned;
  }

  static constexpr std::uint32_t owner_of(std::uint32_t word) noexcept {
    return (word & kOwned) != 0 ? word & ~kWaiters : 0;
  }

  // Returns whether a fork is under way that copies what this thread changes. A child of _Fork or a
  // raw clone may have been made while a thread of its parent forked. The gate that it inherited is
  // shut, but no thread of its own forks.
  static bool is_shut() noexcept { return fork_is_under_way() && is_in_forking_process(); }
  [[gnu::cold, gnu::noinline]] static bool is_in_forking_process() noexcept {
    return Vforks::is_in_one() || process_is_entered();
  }

  [[gnu::cold, gnu::noinline]] bool let_go() noexcept BUFPOOL_RELEASE() {
    unlock();
    return false;
  }

  // Does what lock() does, after a first try that failed.
  [[gnu::cold, gnu::noinline]] bool lock_contended() noexcept BUFPOOL_NO_THREAD_ANALYSIS {
    Patience patience;
    for (int spins = 0;; ++spins) {
      std::uint32_t seen = word_.load(std::memory_order_relaxed);
      if (is_shut()) return turned_away(spins > kSpins);
      if (seen == 0) {
        // A thread that slept cannot know whether others still sleep, so it says that they do.
        const std::uint32_t mine = spins < kSpins ? self() : self() | kWaiters;
        if (!word_.compare_exchange_weak(seen, mine)) continue;
        return is_shut() ? let_go() : true;
      }
      if (owner_of(seen) == 0) return turned_away(spins > kSpins);
      if (!wait_for(seen, spins, patience)) return false;
    }
  }

  // Measures how long a thread has been waiting for the same owner.
  class Patience {
   public:
    bool ends(std::uint32_t owner) noexcept {
      const std::uint64_t now = platform::coarse_milliseconds();
      if (owner != owner_) since_ms_ = now;
      owner_ = owner;
      return now - since_ms_ > policy::kLockPatienceMs;
    }

   private:
    std::uint32_t owner_ = 0;
    std::uint64_t since_ms_ = 0;
  };

  // Waits for the owner that was seen: it spins at first and then sleeps. It returns false if the
  // wait would never end.
  bool wait_for(std::uint32_t seen, int spins, Patience& patience) noexcept {
    if (owner_of(seen) == self()) return false;
    if (spins < kSpins) {
      platform::relax();
      return true;
    }
    if (!process_is_entered()) return false;
    if (patience.ends(owner_of(seen))) return orphan(seen);
    if ((seen & kWaiters) == 0 && !word_.compare_exchange_weak(seen, seen | kWaiters)) return true;
    platform::wait_on(address(), seen | kWaiters);
    return true;
  }

  // Wakes another thread if this one slept, because the last owner may have woken this one only.
  void pass_wakeup_on(bool slept) noexcept {
    if (slept) platform::wake_one(address());
  }
  bool turned_away(bool slept) noexcept {
    pass_wakeup_on(slept);
    return false;
  }

  // Takes the lock out of service, so that no other thread waits for an owner that is gone. If the
  // owner was only stopped, its unlock() frees the lock as always.
  bool orphan(std::uint32_t seen) noexcept {
    word_.compare_exchange_strong(seen, kOrphaned | (seen & kWaiters));
    return turned_away(true);
  }

  const std::uint32_t* address() const noexcept {
    return reinterpret_cast<const std::uint32_t*>(&word_);
  }

  // The gate has a cache line for itself, and a page together with what else forks write.
  struct alignas(4096) Gate {
    std::atomic<std::uint32_t> forks;    // how many are under way; the gate is open at 0
    std::atomic<std::uint32_t> process;  // the id of the process that was entered
    std::atomic<std::uint32_t> times_entered;
    ForkNotes notes;
    alignas(64) std::array<std::byte, kForkRoom> room;
  };
  static_assert(sizeof(Gate) == 4096);
  static inline constinit Gate gate_{};

  std::atomic<std::uint32_t> word_{0};
};

// Tries to take a lock and holds it until its own end. The caller asks once, right after, whether
// it was had:
//
//   const ScopedLock locked(lock_);
//   if (!locked) return ...;
//
// The constructor takes the lock. clang's analysis cannot see that a constructor may fail, so it is
// told that the question takes the lock. Its verdict is the same: what the lock guards is reached
// only after the question was answered by yes.
class BUFPOOL_SCOPED_CAPABILITY ScopedLock {
 public:
  // Tries to take the lock.
  explicit ScopedLock(OwnerLock& lock) noexcept BUFPOOL_EXCLUDES(lock) BUFPOOL_NO_THREAD_ANALYSIS
      : lock_(lock),
        held_(lock.lock()) {}
  ~ScopedLock() BUFPOOL_RELEASE() BUFPOOL_NO_THREAD_ANALYSIS {
    if (held_) lock_.unlock();
  }
  ScopedLock(const ScopedLock&) = delete;
  ScopedLock& operator=(const ScopedLock&) = delete;

  // Returns whether the lock is held. It was refused otherwise, see OwnerLock::lock().
  explicit operator bool() const noexcept BUFPOOL_TRY_ACQUIRE(true) { return held_; }

 private:
  OwnerLock& lock_;
  bool held_;
};

}  // namespace bufpool
