// SPDX-License-Identifier: MIT
#include "interpose/pass_counter.h"

#include <cerrno>

#include "interpose/heap.h"
#include "pool/backing/backing.h"
#include "pool/options/limits.h"

namespace bufpool {

constinit std::atomic<std::uint64_t> PassCounter::told_{0};
constinit thread_local std::uint32_t PassCounter::left_{~std::uint32_t{0}};
constinit thread_local bool PassCounter::began_{false};
constinit thread_local bool PassCounter::was_served_{false};
constinit std::atomic<bool> PassCounter::any_served_{false};

namespace {

// The first request of a thread makes mimalloc set itself up for the thread. The first request of
// all makes it look about the machine, which changes errno. This is not done at start, because many
// a process never asks. Returns false if there is no memory for it.
bool wake_backing() noexcept {
  const int kept = errno;
  backing::open(PassCounter::doubt);
  void* const first = backing::allocate(kMinSize);
  backing::release(first);
  errno = kept;
  return first != nullptr;
}

}  // namespace

void PassCounter::tell() noexcept {
  told_.fetch_add(began_ ? kStep : 1, std::memory_order_relaxed);
  if (began_) left_ = -kStep;
  begin();
  Heap::tell_passed_below(told_);
}

void PassCounter::begin() noexcept {
  if (began_) return;
  began_ = wake_backing();
  was_served_ |= began_;
  if (began_ && !any_served()) any_served_.store(true, std::memory_order_relaxed);
  left_ = began_ ? -kStep : ~std::uint32_t{0};
}

void PassCounter::doubt() noexcept {
  if (!began_) return;
  told_.fetch_add(left_ + kStep, std::memory_order_relaxed);
  began_ = false;
  left_ = ~std::uint32_t{0};
}

std::uint64_t PassCounter::total() noexcept {
  const std::uint32_t untold = began_ ? left_ + kStep : 0;
  return told_.load(std::memory_order_relaxed) + untold;
}

void PassCounter::reset() noexcept {
  clear_counter(told_);
  if (began_) left_ = -kStep;
}

}  // namespace bufpool
