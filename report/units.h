// SPDX-License-Identifier: MIT
// Numbers as people read them, in integer arithmetic.
#pragma once

#include <cstdint>

#include "report/fixed_text.h"

namespace bufpool {

// A size class by its round size, which lies 64 bytes below its buffers: 16448 is 16K; 1.25M,
// 320K, 640. In plain bytes where two decimals would not be exact.
[[nodiscard]] Cell class_name(std::uint64_t buffer_bytes) noexcept;

// A size as a BUFPOOL_ variable takes it, so without a point: 64M, 1536K, 1000.
[[nodiscard]] Cell option_bytes(std::uint64_t bytes) noexcept;

// 640 B, 12.3 MiB: one decimal, rounded down.
[[nodiscard]] Cell human_bytes(std::uint64_t bytes) noexcept;

// All digits up to twelve of them, and above that in units of 10^12: 18446744T.
[[nodiscard]] Cell human_count(std::uint64_t count) noexcept;

// Hundredths of a percent as 99.63.
[[nodiscard]] Cell percent(std::uint64_t basis_points) noexcept;

}  // namespace bufpool
