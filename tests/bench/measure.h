// SPDX-License-Identifier: MIT
// Has what every row shares: the clock, the calibration, and the dice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>

namespace bufpool::bench {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;
constexpr std::size_t kPage = 4096;

inline double clock_ns(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}
inline double now_ns() noexcept { return clock_ns(CLOCK_MONOTONIC); }
inline double cpu_ns() noexcept { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

// Returns the time that `work` takes.
template <typename Work>
double elapsed_ns(const Work& work) {
  const double start = now_ns();
  work();
  return now_ns() - start;
}

// Returns the nanoseconds of one operation. `run(n)` does n operations and returns the nanoseconds
// that they took. It is called with growing n until a call lasts a fifth of the time wanted, which
// also warms the allocator up. Then it is called once more for the whole of that time. The mean of
// the last call counts. A median over parts of it would hide the rare expensive calls in which some
// allocators do their housekeeping.
template <typename Run>
double ns_per_operation(double target_ns, const Run& run) {
  std::uint64_t count = 4;
  double taken = run(count);
  while (taken < target_ns / 5) {
    const double factor = target_ns / 4 / std::max(taken, 1.0);
    count = static_cast<std::uint64_t>(static_cast<double>(count) * std::clamp(factor, 2.0, 32.0));
    taken = run(count);
  }
  const double wanted = static_cast<double>(count) * target_ns / taken;
  const auto final_count = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  return run(final_count) / static_cast<double>(final_count);
}

// The compiler must take the memory as used, or it may drop the pair.
inline void keep(void* pointer) noexcept { asm volatile("" : : "r"(pointer) : "memory"); }

inline void touch_pages(char* buffer, std::size_t size) noexcept {
  for (std::size_t at = 0; at < size; at += kPage) {
    static_cast<volatile char*>(buffer)[at] = 1;
  }
}

// It is Marsaglia's xorshift, with the same sequence in every process.
class XorShift {
 public:
  std::uint64_t next() noexcept {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  double fraction() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_ = 0x9e3779b97f4a7c15;
};

}  // namespace bufpool::bench
