// SPDX-License-Identifier: MIT
// Lets a thread wait for idle memory that another thread is giving back.
#pragma once

#include <atomic>
#include <cstdint>

#include "pool/options/policy.h"
#include "pool/platform/clock.h"
#include "pool/platform/waiting.h"
#include "pool/sync/moment.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {

// Counts the threads that give idle memory back, and lets others wait until some of it can be had
// again. While memory goes back nobody can take it, although it is mapped and nobody uses it. Any
// thread and any signal handler may call all functions.
class ReturnsUnderWay {
 public:
  // A wait_on() may last a second more, see policy::kReturnsPatienceMs.
  static_assert(policy::kReturnsPatienceMs + 1000 < policy::kLockPatienceMs);

  // Says for as long as it lives that this thread gives memory back. One may live inside another.
  class Work {
   public:
    // `returns` outlives this.
    explicit Work(ReturnsUnderWay& returns) noexcept : returns_(returns) { returns_.begin(); }
    ~Work() { returns_.end(); }
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

   private:
    ReturnsUnderWay& returns_;
  };

  // Notes that some of the memory that this thread had set aside can be had again, or is unmapped.
  void note_step() noexcept {
    steps_.fetch_add(1);
    wake();
  }

  // Returns the number of steps up to now. It begins anew after 2^32.
  std::uint32_t steps() const noexcept { return steps_.load(); }

  // Tells whether another thread gives memory back and this one may wait for it. It is false where
  // a wait may have no end: in a signal handler that interrupted such work, in a child that lacks
  // the thread, and while a fork is under way, which may wait for this thread.
  [[nodiscard]] bool may_wait() const noexcept {
    return threads_.load() != 0 && !works_here_ && OwnerLock::process_is_entered() &&
           !OwnerLock::fork_is_under_way();
  }

  // Waits until there were more than `steps` steps, or until may_wait() is false. It returns false
  // if policy::kReturnsPatienceMs have passed since `since_ms`: all threads that are at work are
  // taken for gone then. Pre: the caller holds no lock.
  [[nodiscard]] bool wait(std::uint32_t steps, std::uint32_t since_ms) noexcept {
    waiting_.fetch_add(1);
    bool in_time = true;
    while (in_time) {
      const std::uint32_t events = events_.load();
      if (steps_.load() != steps || !may_wait()) break;
      platform::wait_on(word(), events);
      in_time = is_within(platform::now_ms(), since_ms, policy::kReturnsPatienceMs);
    }
    if (!in_time) threads_.store(0);
    subtract_one(waiting_);
    if (waiting_.load() != 0) platform::wake_one(word());
    return in_time;
  }

  // Makes all threads that wait look again. A fork calls it, as no thread is to wait while it is
  // under way.
  void wake() noexcept {
    events_.fetch_add(1);
    if (waiting_.load() != 0) platform::wake_one(word());
  }

  // Forgets in a forked child the other threads of the parent. It writes only what differs.
  void forget_in_child() noexcept {
    if (threads_.load(std::memory_order_relaxed) != 0) threads_.store(works_here_);
    if (waiting_.load(std::memory_order_relaxed) != 0) waiting_.store(0);
  }

 private:
  void begin() noexcept {
    ++works_here_;
    threads_.fetch_add(1);
  }

  // A thread that was taken for gone counts no more.
  void end() noexcept {
    subtract_one(threads_);
    --works_here_;
    wake();
  }

  static void subtract_one(std::atomic<std::uint32_t>& count) noexcept {
    std::uint32_t seen = count.load();
    while (seen != 0 && !count.compare_exchange_weak(seen, seen - 1)) {
    }
  }

  const std::uint32_t* word() const noexcept {
    return reinterpret_cast<const std::uint32_t*>(&events_);
  }

  std::atomic<std::uint32_t> threads_{0};  // works that live: a thread may have several
  std::atomic<std::uint32_t> waiting_{0};
  std::atomic<std::uint32_t> steps_{0};
  std::atomic<std::uint32_t> events_{0};  // what a thread that waits has to look at
  // How many works of this thread live. A signal handler may have one, too.
  static inline constinit thread_local std::uint32_t works_here_
      [[gnu::tls_model("initial-exec")]] = 0;
};

}  // namespace bufpool
