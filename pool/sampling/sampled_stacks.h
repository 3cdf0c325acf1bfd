// SPDX-License-Identifier: MIT
// Counts samples by the calls that they came by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/sampling/sample_words.h"

namespace bufpool {

// Finds and counts in the table of stacks, which never forgets one. Any thread and any signal
// handler may call all. Nothing here waits, and a fork at any moment does no harm.
class SampledStacks {
 public:
  // Uses the table of these words, which outlive this.
  explicit SampledStacks(const SampleWords& words) noexcept : words_(words) {}

  // This is the number of the record for stacks that the table has no room for.
  static constexpr std::size_t kOther = 0;

  // Returns the number of the record for these return addresses. A new one is added.
  [[nodiscard]] std::size_t find(std::span<const std::uint64_t> frames) noexcept;

  // Count a buffer of `asked` bytes that came, and one that went back after `held_ns` nanoseconds.
  void count_get(std::size_t stack, std::uint64_t asked) noexcept;
  void count_put(std::size_t stack, std::uint64_t asked, std::uint64_t held_ns) noexcept;

 private:
  void describe(StatsSampledStack& record, std::span<const std::uint64_t> frames) noexcept;

  const SampleWords& words_;
};

}  // namespace bufpool
