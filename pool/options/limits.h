// SPDX-License-Identifier: MIT
// Holds the numbers that several folders have to agree on. options.cpp checks that the bounds in
// options.def are these.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool {

// These are the nominal sizes of the smallest and the largest class, in bytes. They are the bounds
// of BUFPOOL_MIN_SIZE and BUFPOOL_MAX_SIZE.
inline constexpr std::size_t kMinSize = 512;
inline constexpr std::size_t kMaxSize = std::size_t{1} << 30;

// A class serves requests of so many bytes more than its nominal size: programs ask for a round
// size plus a small header of their own.
inline constexpr std::size_t kHeaderRoom = 64;

// These are the largest BUFPOOL_CPU_CACHE and BUFPOOL_RETAIN_MAX, in bytes.
inline constexpr std::uint64_t kMostCpuCache = std::uint64_t{16} << 30;
inline constexpr std::uint64_t kMostRetained = std::uint64_t{16} << 40;

// This is the least BUFPOOL_SAMPLE, in bytes.
inline constexpr std::uint64_t kLeastSampled = std::uint64_t{4} << 10;

}  // namespace bufpool
