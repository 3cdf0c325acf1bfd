// SPDX-License-Identifier: MIT
// Remembers a refusal of the kernel for a while. At a limit (of mappings, address space or data)
// what was refused a moment ago is refused again, and each try costs a system call.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/options/policy.h"
#include "pool/platform/clock.h"
#include "pool/sync/moment.h"

namespace bufpool {

// Remembers one thing that the kernel refused. Any thread and any signal handler may call all
// functions. None of them waits.
class Refusal {
 public:
  // Returns whether the last refusal is younger than policy::kRefusalMs. It reads the clock only if
  // there was one.
  [[nodiscard]] bool stands() const noexcept {
    const std::uint32_t since = since_ms_.load(std::memory_order_relaxed);
    return since != 0 && is_within(odd_now_ms(), since, policy::kRefusalMs);
  }

  // Remembers a refusal of this moment.
  void note() noexcept { since_ms_.store(odd_now_ms(), std::memory_order_relaxed); }
  // Forgets it, so that the kernel is asked again at once.
  void forget() noexcept { since_ms_.store(0, std::memory_order_relaxed); }

 private:
  // Returns the time. It never returns 0, which says that there was no refusal.
  static std::uint32_t odd_now_ms() noexcept { return platform::now_ms() | 1; }

  std::atomic<std::uint32_t> since_ms_{0};
};

// Remembers a refusal for some requests only, as memory may have come free after so many. Any
// thread and any signal handler may call all functions. None of them waits.
class RefusalOfSome {
 public:
  // Tells whether the last refusal stands for this request, which is counted.
  [[nodiscard]] bool stands() noexcept {
    return refusal_.stands() &&
           requests_.fetch_add(1, std::memory_order_relaxed) < policy::kRequestsPerRefusal;
  }

  // Remembers a refusal of this moment.
  void note() noexcept {
    requests_.store(0, std::memory_order_relaxed);
    refusal_.note();
  }

 private:
  Refusal refusal_;
  std::atomic<std::uint32_t> requests_{0};
};

}  // namespace bufpool
