// SPDX-License-Identifier: MIT
// How many idle bytes one CPU's cache may hold: a figure of the user's, or the CPU's part of what
// all caches may hold together.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "pool/options/policy.h"

namespace bufpool {

// Any thread may call anything but open() at any time.
class CacheBudget {
 public:
  // A cache with less is hardly one. More than 256 caches hold more than the default budget by it.
  static constexpr std::uint64_t kLeast = std::uint64_t{256} << 10;

  // `fixed`: bytes of each cache; 0: what is shared out. `expected`: caches that there will be.
  void open(std::uint64_t fixed, std::uint32_t expected) noexcept {
    fixed_ = fixed;
    expected_ = expected;
  }

  // All caches together may hold `bytes`, from now on.
  void share_out(std::uint64_t bytes) noexcept {
    shared_.store(std::max<std::uint64_t>(bytes, 1), std::memory_order_relaxed);
  }

  // There is a cache more. A process may come to run on more CPUs than it could at first.
  void add_cache() noexcept { caches_.fetch_add(1, std::memory_order_relaxed); }

  // Of each cache. It may become less at any time.
  std::uint64_t bytes() const noexcept {
    if (fixed_ != 0) return fixed_;
    const std::uint64_t caches =
        std::max({expected_, caches_.load(std::memory_order_relaxed), std::uint32_t{1}});
    const std::uint64_t shared = shared_.load(std::memory_order_relaxed);
    const std::uint64_t part = (shared != 0 ? shared : policy::kRetainMostByDefault) / caches;
    return std::max(part - part % kUnit, kLeast);
  }

 private:
  // The figure is one that a user can write.
  static constexpr std::uint64_t kUnit = 4096;

  std::uint64_t fixed_ = 0;
  std::uint32_t expected_ = 0;
  std::atomic<std::uint32_t> caches_{0};
  std::atomic<std::uint64_t> shared_{0};  // 0: not known yet
};

}  // namespace bufpool
