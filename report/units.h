// SPDX-License-Identifier: MIT
// Writes numbers for people, in integer arithmetic. A signal handler may call each function.
#pragma once

#include <cstdint>

#include "report/fixed_text.h"

namespace bufpool {

// Returns the name of a size class: its round size, which is 64 bytes less than its buffers hold.
// 16448 bytes are 16K; other names are 1.25M, 320K and 640. The name is in plain bytes where two
// decimals would not be exact.
[[nodiscard]] Cell class_name(std::uint64_t buffer_bytes) noexcept;

// Returns a size in the form that BUFPOOL_ variables take, without a point: 64M, 1536K, 1000.
[[nodiscard]] Cell option_bytes(std::uint64_t bytes) noexcept;

// Returns a size with its unit and one decimal, rounded down: 640 B, 12.3 MiB.
[[nodiscard]] Cell human_bytes(std::uint64_t bytes) noexcept;

// Returns a number with all its digits if these are twelve at most. A larger one is in units of
// 10^12: 18446744T.
[[nodiscard]] Cell human_count(std::uint64_t count) noexcept;

// Returns hundredths of a percent as percent with two decimals: 9963 is 99.63.
[[nodiscard]] Cell percent(std::uint64_t basis_points) noexcept;

}  // namespace bufpool
