// SPDX-License-Identifier: MIT
// The numbers that decisions hang on, each with its unit and where it comes from.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool::policy {

// Bytes. The most idle memory of a process whose limits are not known, and of one whose limits are
// wide: with 64 MiB Python's buffers of 1K..1M, which come back all the time, fault 2.6 times less
// often than with 8 MiB.
inline constexpr std::uint64_t kRetainMostByDefault = std::uint64_t{64} << 20;

// Misses, lending and realloc.

// Bytes. So much may be lent without a look at the budget: it is no more than a burst's first
// spans, and the look learns the limits of the process, which takes a dozen system calls.
inline constexpr std::uint64_t kLentFreely = std::uint64_t{4} << 20;

// Part of the most idle memory worth keeping. So much may be lent: the other half is for what is
// idle.
inline constexpr std::uint64_t kLentPartOfBudget = 2;

// Bytes, of the class. Smaller classes borrow nothing: their blocks are a few pages, whose faults
// cost less than the look. From 16 KiB up redis with changing value sizes kept 1.04 of what glibc
// keeps, and from 32 KiB up 1.01.
inline constexpr std::size_t kLeastBorrowed = 32 << 10;

// Classes above its own that a class borrows from: four are one doubling. 64 live bytearrays of
// 1K..1M took 17,900 page faults with none, 9,700 with two and 8,600 with four.
inline constexpr std::uint32_t kBorrowFromClasses = 4;

// Gets in a row that a class borrows for, per page of its block, before it gets pages of its own:
// a borrowed get costs some 15 ns, the fault of a page some 500.
inline constexpr std::uint32_t kBorrowsPerPage = 32;

// Bytes. Larger free buffers are given back instead of wiped: to fault in 1 MiB takes no longer
// than to write it, and much of a large buffer may never have been touched.
inline constexpr std::size_t kLeastPurgedToWipe = 1 << 20;

// Bytes. Contents from this size on are moved by their pages: fewer are copied as fast as their
// pages are moved or given back.
inline constexpr std::size_t kLeastMoved = 1 << 20;

// A buffer stays where it is until it holds less than 1 / kLeastPartHeld of what it could. A
// growing one stays until it holds less than 1 / kLeastPartHeldGrowing of what it held, as it is
// likely to grow again.
inline constexpr std::size_t kLeastPartHeld = 2;
inline constexpr std::size_t kLeastPartHeldGrowing = 4;

// Buffers that grew for the first time. After so many, what was learned before the last half of
// them is forgotten: a program's phases are longer.
inline constexpr std::uint32_t kGrowthWindow = 1024;

// Buffers. So many that grew again prove nothing.
inline constexpr std::uint32_t kGrowthDoubt = 4;

// The least room for a buffer that is likely to grow again, in sizes of the buffer: two doublings.
inline constexpr std::size_t kLeastRoomToGrow = 4;

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
