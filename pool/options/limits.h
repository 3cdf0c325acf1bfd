// SPDX-License-Identifier: MIT
// The numbers that several folders have to agree on. options.cpp checks that the bounds in
// options.def are these.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool {

// Bytes. The nominal sizes of the smallest and the largest class: the bounds of BUFPOOL_MIN_SIZE
// and BUFPOOL_MAX_SIZE.
inline constexpr std::size_t kMinSize = 512;
inline constexpr std::size_t kMaxSize = std::size_t{1} << 30;

// Bytes. A class serves requests of so much more than its nominal size: programs ask for a round
// size plus a small header of their own.
inline constexpr std::size_t kHeaderRoom = 64;

// Bytes. The largest BUFPOOL_CPU_CACHE and BUFPOOL_RETAIN_MAX.
inline constexpr std::uint64_t kMostCpuCache = std::uint64_t{16} << 30;
inline constexpr std::uint64_t kMostRetained = std::uint64_t{16} << 40;

}  // namespace bufpool
