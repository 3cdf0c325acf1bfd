// SPDX-License-Identifier: MIT
#include "interpose/thread_space.h"

#include "interpose/heap.h"
#include "pool/backing/backing.h"
#include "pool/platform/platform.h"

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

// A program that has limited and then confined itself may be killed for the look.
bool ThreadSpace::is_known() noexcept {
  if (limit_.load(std::memory_order_relaxed) == 0) return false;
  const bool later = set_later_.load(std::memory_order_relaxed);
  return !later || !the_pool.control().avoids_new_calls();
}

// The first thread of all has its share whatever is left.
bool ThreadSpace::take_first() noexcept {
  std::uint32_t none = 0;
  return PassCounter::total() == 0 && begun_.compare_exchange_strong(none, 1);
}

// A thread is given no more than an eighth of what is left, as those to come need their stacks.
// What was shared out and was not mapped yet before the look is taken off, even if it is mapped
// since. So threads that look at the same time do not all get what is there once.
bool ThreadSpace::take_one() noexcept {
  constexpr std::size_t kPart = 8;
  const std::uint32_t finished = finished_.load();
  const std::size_t used = platform::address_space_used();
  const std::size_t limit = limit_.load(std::memory_order_relaxed);
  std::uint32_t begun = begun_.load();
  do {
    const std::size_t threads = kPart + (begun - finished);
    if (used + threads * backing::kThreadBytes > limit) return false;
  } while (!begun_.compare_exchange_weak(begun, begun + 1));
  return true;
}

bool ThreadSpace::Share::take() noexcept {
  if (!is_known()) return true;
  if (refused_.stands()) return false;
  held_ = take_first() || take_one();
  if (!held_) refused_.note();
  return held_;
}

ThreadSpace::Share::~Share() {
  if (held_) finished_.fetch_add(1);
}

}  // namespace bufpool
