// SPDX-License-Identifier: MIT
// This is the contract for time. linux/clock.cpp implements it. Every function may be called before
// constructors, in a forked child and in a signal handler. None allocates, and none changes errno.
#pragma once

#include <cstdint>

namespace bufpool::platform {

// Returns the milliseconds of a coarse clock that only goes forward. The clock is the kernel's: a
// preloaded library that stops libc's clock (libfaketime) does not stop it.
[[nodiscard]] std::uint64_t coarse_milliseconds() noexcept;

// Returns the nanoseconds of a fine clock that only goes forward (CLOCK_MONOTONIC). It is the
// kernel's, too. To read it may be a system call, so it is the coarse clock once expects_filter()
// returns true: that is up to ten milliseconds behind.
[[nodiscard]] std::uint64_t fine_nanoseconds() noexcept;

// Returns coarse_milliseconds() in 32 bits, as threads share times (pool/sync/moment.h).
[[nodiscard]] inline std::uint32_t now_ms() noexcept {
  return static_cast<std::uint32_t>(coarse_milliseconds());
}

}  // namespace bufpool::platform
