// SPDX-License-Identifier: MIT
// A lock that knows its owner, so that situations in which a plain lock would hang can be told and
// degraded instead: a signal handler that interrupted the owner, a fork under way (libc waits for
// locks of its own in it, whose owners may want this one), and a child made by a raw clone or
// _Fork (which run no fork handlers) while some other thread was the owner.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/platform.h"

namespace bufpool {

class OwnerLock {
 public:
  // How long a thread waits for one and the same owner. Nothing slow is done under a lock: such an
  // owner is gone, in a way that its process id does not tell, or stopped.
  static constexpr std::uint64_t kPatienceMs = 2000;

  // False: waiting would never end; the caller must do without.
  [[nodiscard]] bool lock() noexcept {
    std::uint32_t free = 0;
    if (word_.compare_exchange_strong(free, self(), std::memory_order_acquire)) return true;
    return lock_contended();
  }

  void unlock() noexcept {
    if (word_.exchange(0, std::memory_order_release) & kWaiters) platform::wake_one(address());
  }

  // Before a fork: waits for the owner, then turns all away until as many forks have let go as hold
  // the lock. A thread that is the owner itself (a fork in a signal handler) stays that, in the
  // child too. A lock whose owner is gone is not held.
  void hold_for_fork() noexcept {
    while (!join_forks()) {
      if (lock()) {
        if (word_.exchange(kOneFork) & kWaiters) platform::wake_one(address());
        return;
      }
      if (owner_stays()) return;
    }
  }

  // After the fork, in the parent. Does nothing where no fork holds the lock.
  void release_after_fork() noexcept {
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    while (is_held(seen) && (seen & kForks) != 0) {
      if (word_.compare_exchange_weak(seen, seen - kOneFork, std::memory_order_release)) return;
    }
  }

  // After the fork, in the child, once its process is entered. Nobody was using what forks hold, so
  // it is free. Work that another thread owned may be half done, so that lock is not to be had any
  // more.
  void repair_in_child() noexcept {
    const std::uint32_t seen = word_.load(std::memory_order_relaxed);
    if (seen == 0 || owner_of(seen) == self()) return;
    word_.store(is_held(seen) ? seen & kOrphaned : kOrphaned, std::memory_order_relaxed);
  }

  // The process whose threads may own locks: to be told at start and in a forked child.
  static void enter_process() noexcept { process_.store(platform::process_id()); }

 private:
  // A word: 0, free; an owner, and whether others wait for it; else, held: the number of forks that
  // hold it, and whether its owner is gone.
  static constexpr std::uint32_t kWaiters = 1;
  static constexpr std::uint32_t kOneFork = 2;
  static constexpr std::uint32_t kOrphaned = 1u << 30;
  static constexpr std::uint32_t kForks = kOrphaned - kOneFork;
  static constexpr std::uint32_t kOwned = 1u << 31;

  static constexpr int kSpins = 100;

  // The thread, in 30 bits of its address: two threads a multiple of 64 GiB apart share a number,
  // and then degrade where they could have waited.
  static std::uint32_t self() noexcept {
    const auto pointer = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
    return static_cast<std::uint32_t>(pointer >> 6) << 1 | kOwned;
  }

  static constexpr bool is_held(std::uint32_t word) noexcept {
    return word != 0 && (word & kOwned) == 0;
  }
  static constexpr std::uint32_t owner_of(std::uint32_t word) noexcept {
    return (word & kOwned) != 0 ? word & ~kWaiters : 0;
  }

  [[gnu::cold, gnu::noinline]] bool lock_contended() noexcept {
    Patience patience;
    for (int spins = 0;; ++spins) {
      std::uint32_t seen = word_.load(std::memory_order_relaxed);
      if (seen == 0) {
        // A thread that slept cannot know whether others still do: it takes the lock for waiters.
        const std::uint32_t mine = spins < kSpins ? self() : self() | kWaiters;
        if (word_.compare_exchange_weak(seen, mine, std::memory_order_acquire)) return true;
        continue;
      }
      if (is_held(seen)) return turned_away(spins > kSpins);
      if (owner_of(seen) == self()) return false;
      if (spins < kSpins) {
        platform::relax();
        continue;
      }
      if (!owner_is_here()) return false;
      if (patience.ends(owner_of(seen))) return orphan(seen);
      if ((seen & kWaiters) == 0 && !word_.compare_exchange_weak(seen, seen | kWaiters)) continue;
      platform::wait_on(address(), seen | kWaiters);
    }
  }

  // Since when a thread has been waiting for the same owner.
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

  // A thread that slept hands the wake-up on, as the last owner may have given no other.
  bool turned_away(bool slept) noexcept {
    if (slept) platform::wake_one(address());
    return false;
  }

  // Spares all others the wait, those that sleep too. An owner that was only stopped frees the lock
  // as ever.
  bool orphan(std::uint32_t seen) noexcept {
    word_.compare_exchange_strong(seen, kOrphaned | (seen & kWaiters));
    return turned_away(true);
  }

  bool join_forks() noexcept {
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    while (is_held(seen)) {
      if (word_.compare_exchange_weak(seen, seen + kOneFork, std::memory_order_acquire))
        return true;
    }
    return false;
  }

  // After lock() was refused: whether that will not change.
  bool owner_stays() const noexcept {
    const std::uint32_t owner = owner_of(word_.load(std::memory_order_relaxed));
    return owner == self() || (owner != 0 && !owner_is_here());
  }

  static bool owner_is_here() noexcept {
    return platform::process_id() == process_.load(std::memory_order_relaxed);
  }

  const std::uint32_t* address() const noexcept {
    return reinterpret_cast<const std::uint32_t*>(&word_);
  }

  static inline constinit std::atomic<std::uint32_t> process_{0};

  std::atomic<std::uint32_t> word_{0};
};

}  // namespace bufpool
