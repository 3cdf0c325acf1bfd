// SPDX-License-Identifier: MIT
// How many idle bytes are worth keeping: earned by regret, as the kernel sizes its working sets by
// refaults. A fixed figure serves either programs whose buffers come back all the time, or those
// whose buffers do not, and never both.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace bufpool {

class Budget {
 public:
  static constexpr std::uint64_t kFloor = std::uint64_t{8} << 20;
  static constexpr std::int32_t kCalmMs = 5000;       // without regret, before it is lowered
  static constexpr std::int32_t kStepMs = 1000;       // between two steps down
  static constexpr std::uint32_t kPressedMs = 30000;  // how long pressure is remembered

  // `most`: the budget is never above it; nor is its floor.
  void open(std::uint64_t most) noexcept {
    most_ = most;
    floor_ = std::min(kFloor, most);
    bytes_.store(floor_, std::memory_order_relaxed);
  }

  // `bytes` had been given back shortly before they were needed again. Any thread.
  void regret(std::uint64_t bytes, std::uint32_t now_ms) noexcept {
    std::uint64_t seen = bytes_.load(std::memory_order_relaxed);
    while (!bytes_.compare_exchange_weak(seen, std::min(most_, seen + bytes))) {
    }
    changed_ms_.store(now_ms, std::memory_order_relaxed);
    calm_.store(false, std::memory_order_relaxed);
  }

  // `bytes` were faulted in at start: they are worth keeping beside what is earned. Any thread.
  void add_warmed(std::uint64_t bytes) noexcept {
    warmed_.fetch_add(bytes, std::memory_order_relaxed);
  }

  // Lowers the budget where nothing was regretted for a while. One thread at a time.
  void settle(std::uint32_t now_ms) noexcept {
    // Or the clock would come round to it: 32 bits are 49 days.
    if (!is_pressed(now_ms)) pressed_.store(false, std::memory_order_relaxed);
    // Less than 0 where another thread regretted after the caller looked at the clock.
    const auto since =
        static_cast<std::int32_t>(now_ms - changed_ms_.load(std::memory_order_relaxed));
    if (since < (calm_.load(std::memory_order_relaxed) ? kStepMs : kCalmMs)) return;
    const std::uint64_t seen = bytes_.load(std::memory_order_relaxed);
    bytes_.store(seen - (seen - floor_) / 4, std::memory_order_relaxed);
    changed_ms_.store(now_ms, std::memory_order_relaxed);
    calm_.store(true, std::memory_order_relaxed);
  }

  // The system is short of memory: half of all that is worth keeping, for a while.
  void press(std::uint32_t now_ms) noexcept {
    pressed_ms_.store(now_ms, std::memory_order_relaxed);
    pressed_.store(true, std::memory_order_relaxed);
  }

  std::uint64_t bytes(std::uint32_t now_ms) const noexcept {
    const std::uint64_t all =
        bytes_.load(std::memory_order_relaxed) + warmed_.load(std::memory_order_relaxed);
    return is_pressed(now_ms) ? all / 2 : all;
  }

  std::uint64_t most() const noexcept { return most_; }

 private:
  bool is_pressed(std::uint32_t now_ms) const noexcept {
    return pressed_.load(std::memory_order_relaxed) &&
           now_ms - pressed_ms_.load(std::memory_order_relaxed) < kPressedMs;
  }

  std::uint64_t most_ = 0;
  std::uint64_t floor_ = 0;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> warmed_{0};
  std::atomic<std::uint32_t> changed_ms_{0};
  std::atomic<std::uint32_t> pressed_ms_{0};
  std::atomic<bool> calm_{false};
  std::atomic<bool> pressed_{false};
};

}  // namespace bufpool
