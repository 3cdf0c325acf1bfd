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

}  // namespace bufpool::policy
