// SPDX-License-Identifier: MIT
// Gives threads turns at work that is done with all signals blocked and need not be done at all.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "pool/platform/clock.h"
#include "pool/platform/waiting.h"

namespace bufpool {

// A thread that waits gives up after a while, so that an owner that is gone holds nobody up for
// ever.
class Turn {
 public:
  // Waits for this thread's turn and takes it. Returns false if it is this thread's already, as a
  // handler interrupted it, or did not come within two seconds.
  [[nodiscard]] bool take() noexcept {
    std::uint32_t seen = kFree;
    if (!word_.compare_exchange_strong(seen, kTaken) && !wait()) return false;
    owner_.store(pthread_self());
    return true;
  }

  // Ends this thread's turn.
  void give() noexcept {
    owner_.store(0);
    if (word_.exchange(kFree) == kAwaited) platform::wake_one(address());
  }

  // Returns whether it is no thread's turn.
  [[nodiscard]] bool is_free() const noexcept { return word_.load() == kFree; }

  // Ends any turn in a forked child, as the thread whose turn it was may not be in it.
  void reset() noexcept {
    owner_.store(0);
    word_.store(kFree);
  }

 private:
  static constexpr std::uint32_t kFree = 0;
  static constexpr std::uint32_t kTaken = 1;
  static constexpr std::uint32_t kAwaited = 2;  // taken, and others may sleep
  // The last of its sleeps, of a second each, begins within this time.
  static constexpr std::uint64_t kPatienceMs = 900;

  bool wait() noexcept {
    if (owner_.load() == pthread_self()) return false;
    const std::uint64_t start = platform::coarse_milliseconds();
    while (word_.exchange(kAwaited) != kFree) {
      if (platform::coarse_milliseconds() - start >= kPatienceMs) return false;
      platform::wait_on(address(), kAwaited);
    }
    return true;
  }

  [[nodiscard]] const std::uint32_t* address() const noexcept {
    return reinterpret_cast<const std::uint32_t*>(&word_);
  }

  std::atomic<std::uint32_t> word_{kFree};
  std::atomic<pthread_t> owner_{0};
};

}  // namespace bufpool
