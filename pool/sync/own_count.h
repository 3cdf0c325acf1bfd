// SPDX-License-Identifier: MIT
// Holds a number that a forked child does not take over from its parent.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/sync/owner_lock.h"

namespace bufpool {

// Holds a number together with the process that noted it. A number that was noted before a fork is
// the parent's, and counts as 0. So nothing has to be written at the fork.
class OwnCount {
 public:
  constexpr OwnCount() noexcept = default;
  // Notes `count` for this process. It is less than 2^40.
  explicit OwnCount(std::uint64_t count) noexcept
      : word_(count << kProcessBits | OwnerLock::times_entered() % (1u << kProcessBits)) {}

  // Returns the number, or 0 if another process noted it. It takes no lock, and a signal handler
  // may call it.
  std::uint64_t count() const noexcept {
    const std::uint64_t count = word_ >> kProcessBits;
    return word_ == OwnCount(count).word_ ? count : 0;
  }

 private:
  static constexpr std::uint32_t kProcessBits = 24;
  std::uint64_t word_ = 0;
};

// Adds 1 to a number of this process. It takes no lock, and a signal handler may call it.
inline void add_one(std::atomic<OwnCount>& number) noexcept {
  OwnCount seen = number.load(std::memory_order_relaxed);
  while (!number.compare_exchange_weak(seen, OwnCount(seen.count() + 1))) {
  }
}

// Raises a number of this process to `count`. It takes no lock, and a signal handler may call it.
inline void raise_to(std::atomic<OwnCount>& number, std::uint64_t count) noexcept {
  OwnCount seen = number.load(std::memory_order_relaxed);
  while (seen.count() < count && !number.compare_exchange_weak(seen, OwnCount(count))) {
  }
}

}  // namespace bufpool
