// SPDX-License-Identifier: MIT
// The pool and the allocator underneath as one heap: the allocator that libc_rules.h is applied to.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/backing/backing.h"
#include "pool/buffer_pool.h"
#include "pool/sync/refusal.h"

namespace bufpool {

extern constinit BufferPool the_pool;

// Counts the requests passed on without an atomic operation: each thread counts up to 0 from -kStep
// in a word of its own, and tells all others there. A thread that ends takes the rest along. The
// first request of a thread tells at once, as it makes mimalloc set itself up. So do all until
// mimalloc has served one.
class PassCounter {
 public:
  static constexpr std::uint32_t kStep = 256;

  // True: tell() is due.
  [[nodiscard, gnu::always_inline]] static bool count() noexcept { return ++left_ == 0; }
  [[gnu::cold, gnu::noinline]] static void tell() noexcept;

  // All that was told, and what this thread has not told yet.
  static std::uint64_t total() noexcept;
  // What all threads have told.
  static std::uint64_t told() noexcept { return told_.load(std::memory_order_relaxed); }
  static void reset() noexcept;

  // Whether mimalloc has served this thread.
  static bool began() noexcept { return began_; }
  // Takes back what count() has counted.
  static void put_off() noexcept { --left_; }

 private:
  static constinit thread_local std::uint32_t left_ [[gnu::tls_model("initial-exec")]];
  static constinit thread_local bool began_ [[gnu::tls_model("initial-exec")]];
  static constinit std::atomic<std::uint64_t> told_;
};

// All that entry points call is inlined into them, as the pool's slow paths are told their return
// address.
struct Heap {
  // nullptr: errno is ENOMEM.
  [[nodiscard, gnu::always_inline]] static void* allocate(std::size_t size) noexcept {
    return allocate_for(size, ReturnAddress{});
  }

  [[gnu::always_inline]] static void release(void* pointer) noexcept {
    release_for(pointer, ReturnAddress{});
  }

  [[nodiscard, gnu::always_inline]] static void* allocate_zeroed(std::size_t size) noexcept {
    return allocate_zeroed_for(size, ReturnAddress{}());
  }

  // Pre: `alignment` is a power of two.
  [[nodiscard, gnu::always_inline]] static void* allocate_aligned(std::size_t alignment,
                                                                  std::size_t size) noexcept {
    return allocate_aligned_for(alignment, size, ReturnAddress{}());
  }

  // In place where it can be. nullptr: `pointer` is as it was. Pre: pointer not null, size > 0.
  [[nodiscard, gnu::always_inline]] static void* resize(void* pointer, std::size_t size) noexcept {
    if (the_pool.owns(pointer)) {
      if (void* const resized = the_pool.resize(pointer, size, ReturnAddress{})) return resized;
    }
    return resize_elsewhere(pointer, size, ReturnAddress{}());
  }

  [[nodiscard]] static std::size_t usable_size(void* pointer) noexcept;

  // To be called once, at start: under a limit of address space threads are given small buffers of
  // the pool's where mimalloc would set too much of it aside.
  static void learn_limit() noexcept;

  static std::uint64_t passed_above() noexcept {
    return passed_above_.load(std::memory_order_relaxed);
  }
  static std::uint64_t passed_within() noexcept {
    return passed_within_.load(std::memory_order_relaxed);
  }
  static void reset_counters() noexcept;
  // Tells what was passed on, on the statistics page.
  static void tell_passed() noexcept;

 private:
  template <typename Caller>
  [[nodiscard, gnu::always_inline]] static void* allocate_for(std::size_t size,
                                                              Caller caller) noexcept {
    if (size < kMinSize) {
      if (PassCounter::count()) [[unlikely]]
        return allocate_telling(size);
      return backing::allocate(size);
    }
    if (!the_pool.wants(size)) [[unlikely]]
      return allocate_unpooled(size, caller());
    return the_pool.take(size, caller);
  }

  template <typename Caller>
  [[gnu::always_inline]] static void release_for(void* pointer, Caller caller) noexcept {
    // Small requests are the more frequent ones: theirs is the way without a jump.
    if (__builtin_expect_with_probability(the_pool.owns(pointer), 1, 0.3)) {
      return the_pool.put(pointer, caller);
    }
    backing::release(pointer);
  }

  // Cold ends of allocate() are calls it can jump to, so that it needs no stack frame.
  [[nodiscard, gnu::cold, gnu::noinline]] static void* allocate_unpooled(
      std::size_t size, const void* caller) noexcept;
  [[nodiscard, gnu::cold, gnu::noinline]] static void* allocate_telling(std::size_t size) noexcept;
  [[nodiscard]] static void* allocate_zeroed_for(std::size_t size, const void* caller) noexcept;
  [[nodiscard]] static void* allocate_aligned_for(std::size_t alignment, std::size_t size,
                                                  const void* caller) noexcept;
  [[nodiscard]] static void* resize_elsewhere(void* pointer, std::size_t size,
                                              const void* caller) noexcept;
  [[nodiscard]] static void* resize_or_move(void* pointer, std::size_t size,
                                            const void* caller) noexcept;
  [[nodiscard]] static void* move(void* pointer, std::size_t old_size, std::size_t size,
                                  const void* caller) noexcept;
  static void count_passed(std::size_t size) noexcept;
  template <typename Ask>
  [[nodiscard]] static void* ask(std::size_t size, Ask call) noexcept;
  static bool passes_on(std::size_t size) noexcept;
  static bool spares_backing(std::size_t size) noexcept;
  static bool is_short_of_space() noexcept;

  static constinit std::size_t space_limit_;  // of the address space; 0: none
  static constinit Refusal space_refused_;    // a thread was not worth what mimalloc sets aside
  static constinit Refusal backing_refused_;  // mimalloc had no memory for a thread
  static constinit std::atomic<std::uint64_t> passed_above_;
  static constinit std::atomic<std::uint64_t> passed_within_;
};

}  // namespace bufpool
