// SPDX-License-Identifier: MIT
// A refusal of the kernel that is remembered for a while. At a limit (of mappings, address space or
// data) what was refused a moment ago is refused again, and each try costs a system call.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/platform/clock.h"
#include "pool/sync/moment.h"

namespace bufpool {

// Any thread may call all; none waits.
class Refusal {
 public:
  // Short enough for a program that has made room to find the pool at work again soon.
  static constexpr std::uint32_t kMs = 100;

  // Whether the last refusal is younger than kMs. Reads the clock only where there was one.
  [[nodiscard]] bool stands() const noexcept {
    const std::uint32_t since = since_ms_.load(std::memory_order_relaxed);
    return since != 0 && is_within(odd_now_ms(), since, kMs);
  }

  void note() noexcept { since_ms_.store(odd_now_ms(), std::memory_order_relaxed); }
  void forget() noexcept { since_ms_.store(0, std::memory_order_relaxed); }

 private:
  // Never 0.
  static std::uint32_t odd_now_ms() noexcept { return platform::now_ms() | 1; }

  std::atomic<std::uint32_t> since_ms_{0};
};

}  // namespace bufpool
