// SPDX-License-Identifier: MIT
#include "interpose/thread_space.h"

#include <algorithm>
#include <cstdint>

#include "interpose/pass_counter.h"
#include "pool/backing/backing.h"
#include "pool/options/policy.h"
#include "pool/platform/process.h"
#include "pool/platform/safe_calls.h"

namespace bufpool {

constinit std::atomic<std::size_t> ThreadSpace::limit_{0};
constinit std::atomic<bool> ThreadSpace::set_later_{false};
constinit std::atomic<std::uint32_t> ThreadSpace::begun_{0};
constinit std::atomic<std::uint32_t> ThreadSpace::finished_{0};
constinit Refusal ThreadSpace::refused_;

void ThreadSpace::set_limit(std::size_t bytes, bool later) noexcept {
  set_later_.store(later, std::memory_order_relaxed);
  limit_.store(bytes == SIZE_MAX ? 0 : bytes, std::memory_order_relaxed);
}

void ThreadSpace::forget_in_child() noexcept {
  const std::uint32_t begun = begun_.load(std::memory_order_relaxed);
  if (finished_.load(std::memory_order_relaxed) != begun) finished_.store(begun);
}

// A program that has limited itself and then set a filter may be killed for the look at what is
// used.
bool ThreadSpace::heeds_limit() noexcept {
  if (limit_.load(std::memory_order_relaxed) == 0) return false;
  return !set_later_.load(std::memory_order_relaxed) || !platform::expects_filter();
}

// The very first thread gets its share whatever is left.
bool ThreadSpace::take_first() noexcept {
  std::uint32_t none = 0;
  return PassCounter::total() == 0 && begun_.compare_exchange_strong(none, 1);
}

// Shares that were taken and not mapped before the look are subtracted from what is left, even if
// they were mapped since. So threads that look at the same time do not all get what is there once.
bool ThreadSpace::take_one() noexcept {
  const std::uint32_t finished = finished_.load();
  const std::size_t used = platform::address_space_used();
  const std::size_t limit = limit_.load(std::memory_order_relaxed);
  std::uint32_t begun = begun_.load();
  do {
    // A handler that forked while this thread held a share leaves one more finished than begun.
    const auto held = std::max(static_cast<std::int32_t>(begun - finished), 0);
    const std::size_t threads = policy::kThreadSpaceShare + static_cast<std::size_t>(held);
    if (used + threads * backing::kThreadBytes > limit) return false;
  } while (!begun_.compare_exchange_weak(begun, begun + 1));
  return true;
}

bool ThreadSpace::Share::take() noexcept {
  if (!heeds_limit()) return true;
  if (refused_.stands()) return false;
  held_ = take_first() || take_one();
  if (!held_) refused_.note();
  return held_;
}

ThreadSpace::Share::~Share() {
  if (held_) finished_.fetch_add(1);
}

}  // namespace bufpool
