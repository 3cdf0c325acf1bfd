// SPDX-License-Identifier: MIT
// Counts the small requests that are passed on to the allocator underneath.
#pragma once

#include <atomic>
#include <cstdint>

namespace bufpool {

// Counts without an atomic operation: each thread counts up to 0 from -kStep in a word of its own,
// and tells all others there. A thread that ends takes the rest along. The first request of a
// thread tells at once, because it makes mimalloc set itself up. So do all others until mimalloc
// has served one. Any thread and any signal handler may call any function.
class PassCounter {
 public:
  static constexpr std::uint32_t kStep = 1024;

  // Counts a request. Returns true if tell() is due.
  [[nodiscard, gnu::always_inline]] static bool count() noexcept { return ++left_ == 0; }

  // Takes back what count() has counted.
  static void put_off() noexcept { --left_; }

  // Tells all threads what this one has counted, and does what begin() does.
  [[gnu::cold, gnu::noinline]] static void tell() noexcept;

  // Returns the requests that all threads have told, and those that this thread has not told yet.
  static std::uint64_t total() noexcept;

  // Returns the requests that all threads have told.
  static std::uint64_t told() noexcept { return told_.load(std::memory_order_relaxed); }

  // Starts at 0 again, in a forked child.
  static void reset() noexcept;

  // Returns whether mimalloc has served this thread, and had memory for it the last time.
  static bool began() noexcept { return began_; }

  // Returns whether mimalloc ever had memory for this thread. Then what it sets aside for the
  // thread is mapped already.
  static bool was_served() noexcept { return was_served_; }

  // Returns whether mimalloc ever had memory for a thread of this process or of those that it was
  // forked from.
  static bool any_served() noexcept { return any_served_.load(std::memory_order_relaxed); }

  // Makes mimalloc serve this thread, if began() is false. errno is kept. began() stays false if
  // mimalloc has no memory.
  static void begin() noexcept;

  // Notes that mimalloc had no memory for a request of this thread, which may have been a large
  // one. The next small request finds out whether it has memory for such.
  static void doubt() noexcept;

 private:
  static constinit thread_local std::uint32_t left_ [[gnu::tls_model("initial-exec")]];
  static constinit thread_local bool began_ [[gnu::tls_model("initial-exec")]];
  static constinit thread_local bool was_served_ [[gnu::tls_model("initial-exec")]];
  static constinit std::atomic<bool> any_served_;
  static constinit std::atomic<std::uint64_t> told_;
};

// Sets a counter to 0. It writes only what differs: in a forked child a page that is written is one
// to copy.
inline void clear_counter(std::atomic<std::uint64_t>& counter) noexcept {
  if (counter.load(std::memory_order_relaxed) != 0) counter.store(0, std::memory_order_relaxed);
}

}  // namespace bufpool
