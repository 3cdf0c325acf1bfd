// SPDX-License-Identifier: MIT
// How many idle bytes are worth keeping: earned by regret, as the kernel sizes its working sets by
// refaults. A fixed figure serves either programs whose buffers come back all the time, or those
// whose buffers do not, and never both.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "pool/options/policy.h"
#include "pool/sync/moment.h"

namespace bufpool {

// Any thread may call anything at any time, before open() too: then the most is the default one.
class Budget {
 public:
  static constexpr std::uint64_t kFloor = std::uint64_t{8} << 20;
  static constexpr std::uint32_t kCalmMs = 5000;      // without regret, before it is lowered
  static constexpr std::uint32_t kStepMs = 1000;      // between two steps down
  static constexpr std::uint32_t kPressedMs = 30000;  // how long pressure is remembered

  // `most`: the budget is never above it; nor is its floor. Not 0. Bytes that were earned before
  // count.
  void open(std::uint64_t most) noexcept { most_.store(most, std::memory_order_relaxed); }

  // `bytes` had been given back shortly before they were needed again.
  void regret(std::uint64_t bytes, std::uint32_t now_ms) noexcept {
    changed_.set(now_ms, kRegretted);
    const std::uint64_t most = most_earned();
    std::uint64_t seen = earned_.load(std::memory_order_relaxed);
    while (!earned_.compare_exchange_weak(seen, std::min(most, seen + std::min(bytes, most)),
                                          std::memory_order_relaxed)) {
    }
  }

  // `bytes` were faulted in at start: they are worth keeping beside what is earned.
  void add_warmed(std::uint64_t bytes) noexcept {
    warmed_.fetch_add(bytes, std::memory_order_relaxed);
  }

  // Lowers the budget where nothing was regretted for a while.
  void settle(std::uint32_t now_ms) noexcept {
    const Moment::Seen pressed = pressed_.seen();
    // A pressure that is over is forgotten, as the clock comes round to it after 49 days.
    if (!is_pressed(pressed, now_ms)) pressed_.replace(pressed, now_ms, kNotPressed);
    const std::uint64_t earned = earned_.load(std::memory_order_relaxed);
    const Moment::Seen changed = changed_.seen();
    const std::uint32_t wait = changed.what == kCalm ? kStepMs : kCalmMs;
    if (is_within(now_ms, changed.ms, wait)) return;
    // Another thread that regrets from here on ends the calm, and keeps what it adds.
    if (!changed_.replace(changed, now_ms, kCalm)) return;
    const std::uint64_t counts = std::min(earned, most_earned());
    lower(earned - counts + counts / 4);
  }

  // The system is short of memory: half of all that is worth keeping, for a while.
  void press(std::uint32_t now_ms) noexcept { pressed_.set(now_ms, kPressed); }

  std::uint64_t bytes(std::uint32_t now_ms) const noexcept {
    const std::uint64_t all = std::min(kFloor + earned_.load(std::memory_order_relaxed), most()) +
                              warmed_.load(std::memory_order_relaxed);
    return is_pressed(pressed_.seen(), now_ms) ? all / 2 : all;
  }

  std::uint64_t most() const noexcept {
    const std::uint64_t most = most_.load(std::memory_order_relaxed);
    return most != 0 ? most : policy::kRetainMostByDefault;
  }

 private:
  enum : std::uint32_t { kRegretted, kCalm };
  enum : std::uint32_t { kNotPressed, kPressed };

  static bool is_pressed(Moment::Seen pressed, std::uint32_t now_ms) noexcept {
    return pressed.what == kPressed && is_within(now_ms, pressed.ms, kPressedMs);
  }

  // The most that can be earned above the floor.
  std::uint64_t most_earned() const noexcept { return std::max(most(), kFloor) - kFloor; }

  void lower(std::uint64_t bytes) noexcept {
    std::uint64_t seen = earned_.load(std::memory_order_relaxed);
    while (!earned_.compare_exchange_weak(seen, seen - std::min(bytes, seen),
                                          std::memory_order_relaxed)) {
    }
  }

  // All members are zero at first, as is the whole pool: it takes no room in the library's file,
  // and a page of it that is written is not copied from there.
  std::atomic<std::uint64_t> most_{0};    // 0: not known yet
  std::atomic<std::uint64_t> earned_{0};  // above the floor
  std::atomic<std::uint64_t> warmed_{0};
  Moment changed_;
  Moment pressed_;
};

}  // namespace bufpool
