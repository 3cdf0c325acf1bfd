// SPDX-License-Identifier: MIT
// Decides which gets are samples.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace bufpool {

// Returns -log2(number / 2^64), by 2^24. libm is not at hand. The bits behind the point come one
// after the other: to square a number is to double its logarithm. Pre: number != 0.
constexpr std::uint64_t negative_log2(std::uint64_t number) noexcept {
  const int zeros = std::countl_zero(number);
  std::uint64_t part = number << zeros >> 32;  // from 1 to 2, by 2^31
  std::uint64_t fraction = 0;
  for (int i = 0; i < 24; ++i) {
    part = part * part >> 31;
    const std::uint64_t bit = part >> 32;
    part >>= bit;
    fraction = fraction << 1 | bit;
  }
  return (static_cast<std::uint64_t>(zeros + 1) << 24) - fraction;
}

// Returns how many bytes lie between two samples, for a random number. It is 1 at least. The
// distances are exponentially distributed, so that each byte asked for is as likely to be sampled
// as any other, whatever a program's pattern is. Then a get of `size` bytes is a sample with the
// probability 1 - exp(-size / mean). Pre: 0 < mean <= 2^30.
constexpr std::int64_t sample_distance(std::uint64_t random, std::uint64_t mean) noexcept {
  constexpr std::uint64_t kLn2 = 11629080;  // the natural logarithm of 2, by 2^24
  const std::uint64_t doublings = negative_log2(random | 1) >> 8;  // by 2^16
  return static_cast<std::int64_t>((doublings * kLn2 >> 24) * mean >> 16) + 1;
}

// Counts the bytes that a thread asks for down to its next sample. A signal handler may interrupt
// it: some bytes of the handler, or of the thread, may then not be counted.
class SampleCountdown {
 public:
  // Counts a get. Returns whether it is a sample. `every` is the mean number of bytes between two.
  [[gnu::always_inline]] static bool passes(std::size_t asked, std::uint64_t every) noexcept {
    left_ -= static_cast<std::int64_t>(asked);
    return left_ <= 0 && begin_next(asked, every);
  }

 private:
  // Begins the way to the next sample. Returns false if the thread came to its first get and not to
  // the end of a way.
  [[gnu::cold, gnu::noinline]] static bool begin_next(std::size_t asked,
                                                      std::uint64_t every) noexcept;

  // It is 0 before a thread's first get, and never after a get.
  static constinit thread_local std::int64_t left_ [[gnu::tls_model("initial-exec")]];
};

}  // namespace bufpool
