// SPDX-License-Identifier: MIT
// Keeps spans that a thread had set aside and could not file again, because the lock was refused.
#pragma once

#include <atomic>

#include "pool/runs/span_lists.h"

namespace bufpool {

// Holds a lock-free list of spans, for the next owner of the class's lock to file. Any thread and
// any signal handler may call add().
class ReturnedSpans {
 public:
  // Adds a span. Pre: the span is the caller's: it is `purging` and stands in no list.
  void add(Span& span) noexcept {
    Span* head = head_.load(std::memory_order_relaxed);
    do {
      span.next = head;
    } while (!head_.compare_exchange_weak(head, &span, std::memory_order_release));
  }

  // Takes all spans, which then are the caller's. It returns the first, or nullptr if there is
  // none. The others follow by `next`.
  [[nodiscard]] Span* take_all() noexcept {
    if (head_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    return head_.exchange(nullptr, std::memory_order_acquire);
  }

 private:
  std::atomic<Span*> head_{nullptr};
};

}  // namespace bufpool
