// SPDX-License-Identifier: MIT
// Counts runs that were unmapped so lately that their memory may be wanted back.
#pragma once

#include <algorithm>
#include <cstdint>

#include "pool/options/policy.h"
#include "pool/runs/span_lists.h"

namespace bufpool {

// It is policy::kRegretMs as a length of time.
inline constexpr Milliseconds kRegret{policy::kRegretMs};

// Counts the bytes of such runs. A new span stands for one that was unmapped with its run. If it
// comes within policy::kRegretMs, the run should have been kept. The lock of the class guards it.
class DroppedRuns {
 public:
  // Counts `bytes` bytes of spans that are unmapped, and that had been empty since `empty_ms`.
  void note(std::uint64_t bytes, std::uint32_t empty_ms) noexcept {
    bytes_ += bytes;
    empty_ms_ = empty_ms;
  }

  // Returns whether there may be something to regret.
  bool has_any() const noexcept { return bytes_ > 0; }

  // Says that `bytes` bytes of new spans get pages. It returns how many of them had pages shortly
  // before.
  std::uint64_t regret(std::uint64_t bytes, std::uint32_t now_ms) noexcept {
    if (span_age(now_ms, empty_ms_) >= kRegret) {
      bytes_ = 0;
      return 0;
    }
    const std::uint64_t regretted = std::min(bytes, bytes_);
    bytes_ -= regretted;
    return regretted;
  }

 private:
  std::uint64_t bytes_ = 0;
  std::uint32_t empty_ms_ = 0;
};

}  // namespace bufpool
