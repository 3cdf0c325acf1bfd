// SPDX-License-Identifier: MIT
// Decides how many idle bytes are worth keeping. The budget is earned by refaults, as the kernel
// sizes its working sets: bytes that were given back and are needed again soon raise it, and calm
// lowers it. A fixed figure serves either programs whose buffers come back all the time or those
// whose buffers do not, and never both.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "pool/options/policy.h"
#include "pool/sync/moment.h"

namespace bufpool {

// Holds the budget of idle bytes. Any thread and any signal handler may call any function at any
// time. No function takes a lock. Times are in milliseconds of platform::now_ms().
class Budget {
 public:
  // Sets the most that the budget may be, in bytes. Its floor is not above that either. Before, the
  // most is the default one. Bytes that were earned before count. Pre: `most` is not 0.
  void open(std::uint64_t most) noexcept { most_.store(most, std::memory_order_relaxed); }

  // Raises the budget by `bytes` that had been given back shortly before they were needed again.
  void raise_after_refault(std::uint64_t bytes, std::uint32_t now_ms) noexcept {
    changed_.set(now_ms, kRaised);
    const std::uint64_t most = most_earned();
    std::uint64_t seen = earned_.load(std::memory_order_relaxed);
    while (!earned_.compare_exchange_weak(seen, std::min(most, seen + std::min(bytes, most)),
                                          std::memory_order_relaxed)) {
    }
  }

  // Raises the floor to a share of `bytes` that are in use, or lowers it again.
  void set_in_use(std::uint64_t bytes) noexcept {
    floor_.store(bytes / policy::kBudgetInUseDivisor, std::memory_order_relaxed);
  }

  // Adds up to `bytes` that are about to be warmed up: faulted in before they are asked for. It
  // adds as many as leave warmed() at `most` or below, and returns these. They are worth keeping
  // beside what is earned.
  [[nodiscard]] std::uint64_t reserve_warmed(std::uint64_t bytes, std::uint64_t most) noexcept {
    std::uint64_t seen = warmed();
    std::uint64_t added = 0;
    do {
      added = std::min(bytes, most - std::min(most, seen));
    } while (!warmed_.compare_exchange_weak(seen, seen + added, std::memory_order_relaxed));
    return added;
  }

  // Notes that `warmed` bytes were faulted in where `reserved` were added. These may have been
  // forgotten meanwhile.
  void settle_warmed(std::uint64_t reserved, std::uint64_t warmed) noexcept {
    if (warmed < reserved) return lower(warmed_, reserved - warmed);
    warmed_.fetch_add(warmed - reserved, std::memory_order_relaxed);
  }

  // Forgets what is warmed above `bytes`, as it is to go back.
  void keep_warmed(std::uint64_t bytes) noexcept {
    std::uint64_t seen = warmed();
    while (seen > bytes && !warmed_.compare_exchange_weak(seen, bytes, std::memory_order_relaxed)) {
    }
  }

  // Returns the bytes that were warmed up, and those that are being.
  std::uint64_t warmed() const noexcept { return warmed_.load(std::memory_order_relaxed); }

  // Lowers the budget if nothing has raised it for a while. Each pass calls it.
  void settle(std::uint32_t now_ms) noexcept {
    const Moment::Seen pressed = pressed_.seen();
    // A pressure that is over is forgotten, as the clock comes round to it after 49 days.
    if (!is_pressed(pressed, now_ms)) pressed_.replace(pressed, now_ms, kNotPressed);
    const std::uint64_t earned = earned_.load(std::memory_order_relaxed);
    const Moment::Seen changed = changed_.seen();
    const bool calm = changed.what == kCalm;
    if (is_within(now_ms, changed.ms, calm ? policy::kBudgetStepMs : policy::kBudgetCalmMs)) return;
    // Another thread that raises the budget from here on ends the calm, and keeps what it adds.
    if (!changed_.replace(changed, now_ms, kCalm)) return;
    const std::uint64_t counts = std::min(earned, most_earned());
    lower(earned_, earned - counts + counts / 4);
  }

  // Halves the budget for a while, as the system is short of memory.
  void press(std::uint32_t now_ms) noexcept { pressed_.set(now_ms, kPressed); }

  // Returns the idle bytes that are worth keeping now.
  std::uint64_t bytes(std::uint32_t now_ms) const noexcept {
    const std::uint64_t earned = earned_.load(std::memory_order_relaxed);
    const std::uint64_t all = std::min(floor() + earned, most()) + warmed();
    return is_pressed(pressed_.seen(), now_ms) ? all / 2 : all;
  }

  // Returns the most bytes that the budget may be, warmed ones left out.
  std::uint64_t most() const noexcept {
    const std::uint64_t most = most_.load(std::memory_order_relaxed);
    return most != 0 ? most : policy::kRetainMostByDefault;
  }

 private:
  enum : std::uint32_t { kRaised, kCalm };
  enum : std::uint32_t { kNotPressed, kPressed };

  static bool is_pressed(Moment::Seen pressed, std::uint32_t now_ms) noexcept {
    return pressed.what == kPressed && is_within(now_ms, pressed.ms, policy::kPressedMs);
  }

  std::uint64_t floor() const noexcept {
    return std::max(policy::kBudgetFloor, floor_.load(std::memory_order_relaxed));
  }

  // Returns the most bytes that can be earned above the least floor.
  std::uint64_t most_earned() const noexcept {
    return std::max(most(), policy::kBudgetFloor) - policy::kBudgetFloor;
  }

  static void lower(std::atomic<std::uint64_t>& sum, std::uint64_t bytes) noexcept {
    std::uint64_t seen = sum.load(std::memory_order_relaxed);
    while (
        !sum.compare_exchange_weak(seen, seen - std::min(bytes, seen), std::memory_order_relaxed)) {
    }
  }

  // All members are zero at first, as is the whole pool. So it takes no room in the library's file,
  // and a page of it that is written is not copied from there.
  std::atomic<std::uint64_t> most_{0};    // 0 until it is known
  std::atomic<std::uint64_t> floor_{0};   // by what is in use
  std::atomic<std::uint64_t> earned_{0};  // above the floor
  std::atomic<std::uint64_t> warmed_{0};
  Moment changed_;
  Moment pressed_;
};

}  // namespace bufpool
