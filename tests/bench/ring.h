// SPDX-License-Identifier: MIT
// Connects one producer and one consumer by a ring of 256 pointers.
#pragma once

#include <immintrin.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace bufpool::bench {

class Ring {
 public:
  void push(char* buffer) noexcept {
    const std::uint64_t at = pushed_.load(std::memory_order_relaxed);
    wait_while([&] { return at - popped_.load(std::memory_order_acquire) == kSlots; });
    slots_[at % kSlots] = buffer;
    pushed_.store(at + 1, std::memory_order_release);
  }

  char* pop() noexcept {
    const std::uint64_t at = popped_.load(std::memory_order_relaxed);
    wait_while([&] { return pushed_.load(std::memory_order_acquire) == at; });
    char* const buffer = slots_[at % kSlots];
    popped_.store(at + 1, std::memory_order_release);
    return buffer;
  }

 private:
  static constexpr std::size_t kSlots = 256;
  static constexpr int kSpins = 100;

  // Spinning has to end, because the other side may be waiting for this very CPU.
  template <typename Condition>
  static void wait_while(const Condition& blocked) noexcept {
    for (int spins = 0; blocked(); ++spins) {
      if (spins < kSpins) {
        _mm_pause();
      } else {
        sched_yield();
      }
    }
  }

  alignas(64) std::atomic<std::uint64_t> pushed_{0};
  alignas(64) std::atomic<std::uint64_t> popped_{0};
  alignas(64) std::array<char*, kSlots> slots_{};
};

}  // namespace bufpool::bench
