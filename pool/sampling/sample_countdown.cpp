// SPDX-License-Identifier: MIT
#include "pool/sampling/sample_countdown.h"

#include <atomic>

#include "pool/platform/clock.h"

namespace bufpool {
namespace {

constinit std::atomic<std::uint64_t> draws{0};

// Returns a number that differs from draw to draw by the count, and from process to process by the
// time (splitmix64).
std::uint64_t random_number() noexcept {
  const std::uint64_t draw = draws.fetch_add(1, std::memory_order_relaxed);
  std::uint64_t mixed = platform::fine_nanoseconds() + draw * 0x9e3779b97f4a7c15;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  return mixed ^ mixed >> 31;
}

}  // namespace

constinit thread_local std::int64_t SampleCountdown::left_ = 0;

bool SampleCountdown::begin_next(std::size_t asked, std::uint64_t every) noexcept {
  const bool first = left_ + static_cast<std::int64_t>(asked) == 0;
  left_ = sample_distance(random_number(), every);
  return !first || passes(asked, every);
}

}  // namespace bufpool
