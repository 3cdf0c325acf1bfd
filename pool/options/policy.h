// SPDX-License-Identifier: MIT
// The numbers that decisions hang on, each with its unit and where it comes from.
#pragma once

#include <cstdint>

namespace bufpool::policy {

// Bytes. The most idle memory of a process whose limits are not known, and of one whose limits are
// wide: with 64 MiB Python's buffers of 1K..1M, which come back all the time, fault 2.6 times less
// often than with 8 MiB.
inline constexpr std::uint64_t kRetainMostByDefault = std::uint64_t{64} << 20;

// The CPUs' caches (pool/percpu/).

// Bytes. A CPU's part of the budget is at least this: a cache with less is hardly one. More than
// 256 caches hold more than the default budget by it.
inline constexpr std::uint64_t kCpuCacheLeast = std::uint64_t{256} << 10;

// Bytes. A CPU's part of the budget is a whole number of these, as the reports tell it, and a user
// may write it as BUFPOOL_CPU_CACHE.
inline constexpr std::uint64_t kCpuCacheUnit = 4096;

// Quarters of a stack's limit. A refill fills no more, and an overflow takes no more. With three
// and not two, blocks that go from thread to thread through a ring took 23.4 ns and not 29.4
// (4 KiB), and 107 and not 129 (64 KiB).
inline constexpr std::uint32_t kQuartersMoved = 3;

// A divisor. A limit grows by this part of itself, and at least by a batch. Log-uniform sizes of 1K
// to 1M took 0.90 of the best peer's time when limits doubled, and 0.83 since they do not.
inline constexpr std::uint32_t kLimitGrowthDivisor = 4;

// Bytes. Blocks that go to the cache are noted as zero from this size up. The note faults a page
// in, and smaller blocks are wiped for less. It is an estimate.
inline constexpr std::uint64_t kLeastNotedInCache = std::uint64_t{16} << 10;

// A number. So many times a forked child takes no stack's limit away in favour of another stack. It
// is an estimate of what a child needs that lives no longer than to its exec.
inline constexpr std::uint32_t kChildSpares = 64;

}  // namespace bufpool::policy
