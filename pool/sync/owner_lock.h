// SPDX-License-Identifier: MIT
// A lock that knows its owner, so that situations in which a plain lock would hang can be told and
// degraded instead: a signal handler that interrupted the owner, a fork under way (libc waits for
// locks of its own in it, whose owners may want this one), and a child made by a raw clone or
// _Fork (which run no fork handlers) while some other thread was the owner.
//
// A fork writes to no lock, as each page that is written is one to copy, in the parent and in the
// child. It shuts one gate in front of them all instead. A thread looks at the gate after it has
// written itself into a lock's word, and a fork looks at the words after it has shut the gate. So
// one of them sees the other: the thread lets go, or the fork waits for it.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/platform/clock.h"
#include "pool/platform/process.h"
#include "pool/platform/waiting.h"

namespace bufpool {

class OwnerLock {
 public:
  // How long a thread waits for one and the same owner. Nothing slow is done under a lock: such an
  // owner is gone, in a way that its process id does not tell, or stopped.
  static constexpr std::uint64_t kPatienceMs = 2000;

  // False: waiting would never end, or a fork is under way; the caller must do without.
  [[nodiscard]] bool lock() noexcept {
    std::uint32_t free = 0;
    const bool mine = word_.compare_exchange_strong(free, self());
    if (mine && !is_shut()) [[likely]]
      return true;
    return mine ? let_go() : lock_contended();
  }

  void unlock() noexcept {
    if (word_.exchange(0, std::memory_order_release) & kWaiters) platform::wake_one(address());
  }

  // Around a fork, in the parent: from the first on all are turned away from all locks, until as
  // many forks have ended. end_fork() does nothing where no fork is under way.
  static void begin_fork() noexcept { gate_.forks.fetch_add(1); }
  static void end_fork() noexcept {
    std::uint32_t forks = gate_.forks.load(std::memory_order_relaxed);
    while (forks != 0 && !gate_.forks.compare_exchange_weak(forks, forks - 1)) {
    }
  }

  // After begin_fork(): waits until no other thread is the owner. A thread that is the owner itself
  // (a fork in a signal handler) stays that, in the child too. A lock whose owner is gone is out of
  // service from then on.
  void await_owner() noexcept {
    Patience patience;
    for (int spins = 0;; ++spins) {
      const std::uint32_t seen = word_.load();
      if (owner_of(seen) == 0) return pass_wakeup_on(spins > kSpins);
      if (owner_of(seen) == self()) return;
      if (!wait_for(seen, spins, patience)) orphan(seen);
    }
  }

  // After the fork, in the child, before its process is entered. Pre: await_owner() was called
  // before the fork. So another thread that the word names had done nothing yet, and was just being
  // turned away. It may have done half its work only where the gate was open meanwhile, as in the
  // child of a fork in a signal handler that interrupted this one: that lock is not to be had any
  // more.
  void repair_in_child() noexcept {
    const std::uint32_t owner = owner_of(word_.load(std::memory_order_relaxed));
    if (owner == 0 || owner == self()) return;
    word_.store(fork_is_under_way() ? 0 : kOrphaned, std::memory_order_relaxed);
  }

  // The process whose threads may own locks: to be told at start, and in a forked child once its
  // locks are repaired. No fork is under way in it then.
  static void enter_process() noexcept {
    gate_.process.store(platform::process_id());
    gate_.times_entered.fetch_add(1, std::memory_order_relaxed);
    gate_.forks.store(0);
  }

  static bool fork_is_under_way() noexcept { return gate_.forks.load() != 0; }

  // False in a child that did not enter its process: made by vfork, a raw clone or _Fork.
  static bool process_is_entered() noexcept {
    return platform::process_id() == gate_.process.load(std::memory_order_relaxed);
  }

  // Around vfork: its child is another process on its parent's memory, and may call vfork, too.
  static void enter_vfork() noexcept { ++vforks_; }
  static void leave_vfork() noexcept { --vforks_; }

  // Grows with each forked child and its own: what was noted at another number was its parent's.
  static std::uint32_t times_entered() noexcept {
    return gate_.times_entered.load(std::memory_order_relaxed);
  }

 private:
  // A word: 0, free; an owner, and whether others wait for it; or that its owner is gone.
  static constexpr std::uint32_t kWaiters = 1;
  static constexpr std::uint32_t kOrphaned = 1u << 30;
  static constexpr std::uint32_t kOwned = 1u << 31;

  static constexpr int kSpins = 100;

  // The thread, in 30 bits of its address: two threads a multiple of 64 GiB apart share a number,
  // and then degrade where they could have waited.
  static std::uint32_t self() noexcept {
    const auto pointer = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
    return static_cast<std::uint32_t>(pointer >> 6) << 1 | kOwned;
  }

  static constexpr std::uint32_t owner_of(std::uint32_t word) noexcept {
    return (word & kOwned) != 0 ? word & ~kWaiters : 0;
  }

  // Whether this thread could change what a fork copies. A child made by _Fork or a raw clone may
  // have been made while a thread of its parent forked; it has no such thread.
  static bool is_shut() noexcept { return fork_is_under_way() && is_in_forking_process(); }
  [[gnu::cold, gnu::noinline]] static bool is_in_forking_process() noexcept {
    return vforks_ != 0 || process_is_entered();
  }

  [[gnu::cold, gnu::noinline]] bool let_go() noexcept {
    unlock();
    return false;
  }

  [[gnu::cold, gnu::noinline]] bool lock_contended() noexcept {
    Patience patience;
    for (int spins = 0;; ++spins) {
      std::uint32_t seen = word_.load(std::memory_order_relaxed);
      if (is_shut()) return turned_away(spins > kSpins);
      if (seen == 0) {
        // A thread that slept cannot know whether others still do: it takes the lock for waiters.
        const std::uint32_t mine = spins < kSpins ? self() : self() | kWaiters;
        if (!word_.compare_exchange_weak(seen, mine)) continue;
        return is_shut() ? let_go() : true;
      }
      if (owner_of(seen) == 0) return turned_away(spins > kSpins);
      if (!wait_for(seen, spins, patience)) return false;
    }
  }

  // How long a thread has been waiting for the same owner.
  class Patience {
   public:
    bool ends(std::uint32_t owner) noexcept {
      const std::uint64_t now = platform::coarse_milliseconds();
      if (owner != owner_) since_ms_ = now;
      owner_ = owner;
      return now - since_ms_ > kPatienceMs;
    }

   private:
    std::uint32_t owner_ = 0;
    std::uint64_t since_ms_ = 0;
  };

  // Waits for the owner that was seen, for a while. False: waiting would never end.
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

  // A thread that slept hands the wake-up on, as the last owner may have given no other.
  void pass_wakeup_on(bool slept) noexcept {
    if (slept) platform::wake_one(address());
  }
  bool turned_away(bool slept) noexcept {
    pass_wakeup_on(slept);
    return false;
  }

  // Spares all others the wait, those that sleep too. An owner that was only stopped frees the lock
  // as ever.
  bool orphan(std::uint32_t seen) noexcept {
    word_.compare_exchange_strong(seen, kOrphaned | (seen & kWaiters));
    return turned_away(true);
  }

  const std::uint32_t* address() const noexcept {
    return reinterpret_cast<const std::uint32_t*>(&word_);
  }

  // On one cache line, which is written for a fork alone.
  struct alignas(64) Gate {
    std::atomic<std::uint32_t> forks;  // under way
    std::atomic<std::uint32_t> process;
    std::atomic<std::uint32_t> times_entered;
  };
  static inline constinit Gate gate_{};
  static inline constinit thread_local unsigned vforks_ [[gnu::tls_model("initial-exec")]] = 0;

  std::atomic<std::uint32_t> word_{0};
};

}  // namespace bufpool
