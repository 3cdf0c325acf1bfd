// SPDX-License-Identifier: MIT
// A lock that knows its owner, so that two situations in which a plain lock would hang can be told
// and degraded instead: a signal handler that interrupted the owner, and a child made by a raw
// clone or _Fork (which run no fork handlers) while some other thread was the owner.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/platform.h"

namespace bufpool {

class OwnerLock {
 public:
  // False: waiting would never end; the caller must do without.
  [[nodiscard]] bool lock() noexcept {
    std::uint32_t free = 0;
    if (word_.compare_exchange_strong(free, self(), std::memory_order_acquire)) return true;
    return lock_contended();
  }

  void unlock() noexcept {
    if (word_.exchange(0, std::memory_order_release) & kWaiters) platform::wake_one(address());
  }

  // The process whose threads may own locks: to be told at start and in a forked child.
  static void enter_process() noexcept { process_.store(platform::process_id()); }

  // For the child of a fork whose parent held the lock for it.
  void reset() noexcept { word_.store(0, std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t kWaiters = 1;

  // The thread, in 30 bits of its address: two threads a multiple of 64 GiB apart share a number,
  // and then degrade where they could have waited. Never 0.
  static std::uint32_t self() noexcept {
    const auto pointer = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
    return static_cast<std::uint32_t>(pointer >> 6) << 1 | 1u << 31;
  }

  [[gnu::cold, gnu::noinline]] bool lock_contended() noexcept {
    for (int spins = 0;; ++spins) {
      std::uint32_t seen = word_.load(std::memory_order_relaxed);
      if (seen == 0) {
        // A thread that slept cannot know whether others still do: it takes the lock for waiters.
        const std::uint32_t mine = spins < kSpins ? self() : self() | kWaiters;
        if (word_.compare_exchange_weak(seen, mine, std::memory_order_acquire)) return true;
        continue;
      }
      if ((seen & ~kWaiters) == self()) return false;
      if (spins < kSpins) {
        platform::relax();
        continue;
      }
      if (platform::process_id() != process_.load(std::memory_order_relaxed)) return false;
      if ((seen & kWaiters) == 0 && !word_.compare_exchange_weak(seen, seen | kWaiters)) continue;
      platform::wait_on(address(), seen | kWaiters);
    }
  }

  static constexpr int kSpins = 100;

  const std::uint32_t* address() const noexcept {
    return reinterpret_cast<const std::uint32_t*>(&word_);
  }

  static inline constinit std::atomic<std::uint32_t> process_{0};

  std::atomic<std::uint32_t> word_{0};
};

}  // namespace bufpool
