// SPDX-License-Identifier: MIT
// How long calls took: counts in buckets whose width is an eighth of what is in them.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace bufpool {

class Latency {
 public:
  // Counts a call that took so long.
  void add(std::uint64_t nanoseconds) noexcept { ++counts_[bucket_of(nanoseconds)]; }
  // Adds the counts of another thread.
  void add(const Latency& other) noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }

  // Returns how many calls were counted.
  [[nodiscard]] std::uint64_t count() const noexcept;
  // The least time that `parts` of a million calls stayed within, to the width of a bucket.
  [[nodiscard]] std::uint64_t within(std::uint64_t parts) const noexcept;

  // Calls use(from, to, count) for each bucket that has calls: `from` to below `to` nanoseconds.
  template <typename Use>
  void for_each(Use use) const {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] != 0) use(start_of(i), start_of(i + 1), counts_[i]);
    }
  }

 private:
  static constexpr unsigned kBits = 3;
  static constexpr std::size_t kBuckets = std::size_t{40} << kBits;  // up to 18 minutes

  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < 2U << kBits) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - kBits - 1;
    const std::size_t bucket = (std::size_t{shift} << kBits) + (value >> shift);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  static constexpr std::uint64_t start_of(std::size_t bucket) noexcept {
    if (bucket < 2U << kBits) return bucket;
    const std::size_t shift = (bucket >> kBits) - 1;
    return (bucket - (shift << kBits)) << shift;
  }

  std::array<std::uint64_t, kBuckets> counts_{};
};

}  // namespace bufpool
