// SPDX-License-Identifier: MIT
// Joins the pool and the allocator underneath into one heap, the allocator that libc_rules.h is
// applied to.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "interpose/pass_counter.h"
#include "pool/backing/backing.h"
#include "pool/buffer_pool.h"

namespace bufpool {

// It is the pool of the process.
extern constinit BufferPool the_pool;

// Any thread may call any function. A signal handler may call them as far as it may call mimalloc,
// which serves what the pool does not. The functions that get, resize and release are inlined into
// the entry points (malloc and its kin). So ReturnAddress reads the address that the program called
// from, which the pool's slow paths are told.
struct Heap {
  // Returns `size` bytes, or nullptr with errno ENOMEM. `caller()` is where the program called
  // from.
  template <typename Caller = ReturnAddress>
  [[nodiscard, gnu::always_inline]] static void* allocate(std::size_t size,
                                                          Caller caller = {}) noexcept {
    if (size < kMinSize) {
      if (PassCounter::count()) [[unlikely]]
        return allocate_telling(size);
      return backing::allocate(size);
    }
    if (!the_pool.wants(size)) [[unlikely]]
      return allocate_unpooled(size, caller());
    return the_pool.take(size, caller);
  }

  // Takes a block back. A null pointer is none. errno is kept.
  template <typename Caller = ReturnAddress>
  [[gnu::always_inline]] static void release(void* pointer, Caller caller = {}) noexcept {
    // Small requests are more frequent. So their way is the one without a jump.
    if (__builtin_expect_with_probability(the_pool.owns(pointer), 1, 0.3)) {
      return the_pool.put(pointer, caller);
    }
    backing::release(pointer);
  }

  // Returns `size` bytes that are zero, or nullptr.
  [[nodiscard, gnu::always_inline]] static void* allocate_zeroed(std::size_t size) noexcept {
    return allocate_zeroed_for(size, ReturnAddress{}());
  }

  // Returns `size` bytes aligned to `alignment`, or nullptr. Pre: `alignment` is a power of two.
  [[nodiscard, gnu::always_inline]] static void* allocate_aligned(std::size_t alignment,
                                                                  std::size_t size) noexcept {
    return allocate_aligned_for(alignment, size, ReturnAddress{}());
  }

  // Resizes a block, in place where that can be. Returns where it is, or nullptr: then `pointer` is
  // as it was. Pre: `pointer` is not null, and `size` is not 0.
  [[nodiscard, gnu::always_inline]] static void* resize(void* pointer, std::size_t size) noexcept {
    if (the_pool.owns(pointer)) {
      if (void* const resized = the_pool.resize(pointer, size, ReturnAddress{})) return resized;
    }
    return resize_elsewhere(pointer, size, ReturnAddress{}());
  }

  // Returns the bytes that the program may use of a block of the pool's or of mimalloc's.
  [[nodiscard]] static std::size_t usable_size(void* pointer) noexcept;

  // Return how many requests were passed to mimalloc: those above the pooled range, and those
  // within it while there was no pool.
  static std::uint64_t passed_above() noexcept {
    return passed_above_.load(std::memory_order_relaxed);
  }
  static std::uint64_t passed_within() noexcept {
    return passed_within_.load(std::memory_order_relaxed);
  }

  // Sets the counters to 0, in a forked child.
  static void reset_counters() noexcept;
  // Returns what the statistics page is told was passed on, and tells it.
  static Passed passed() noexcept;
  static void tell_passed() noexcept;
  // Tells it the number of requests below the range, which stands there.
  static void tell_passed_below(const std::atomic<std::uint64_t>& requests) noexcept;

 private:
  // The cold ends of allocate() are calls that it can jump to, so that it needs no stack frame.
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
  template <typename Ask, typename Take>
  [[nodiscard]] static void* ask_or_take(std::size_t size, Ask call, Take take) noexcept;
  enum class Counted : bool { kNo, kYes };
  static bool passes_on(std::size_t size, Counted counted = Counted::kYes) noexcept;

  static constinit std::atomic<std::uint64_t> passed_above_;
  static constinit std::atomic<std::uint64_t> passed_within_;
};

}  // namespace bufpool
