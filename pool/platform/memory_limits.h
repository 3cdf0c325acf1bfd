// SPDX-License-Identifier: MIT
// This is the contract for what the system leaves this process of its memory.
// linux/memory_limits.cpp implements it. Every function may be called before constructors, in a
// forked child and in a signal handler. None allocates, and none changes errno. They read files and
// make no call that tells: a program that has locked itself in may be killed for one, and is
// refused the other.
#pragma once

#include <cstdint>

namespace bufpool::platform {

// Returns the least of the memory limits of this process's control groups, of either version and
// with all their ancestors, and of the machine's memory, in bytes. It is 0 if nothing could be
// read. `root` says where the system's files are; tests make up trees of their own.
[[nodiscard]] std::uint64_t memory_limit(const char* root = "") noexcept;

// Returns whether the system gives huge pages to processes that ask for them. `root` means the same
// as in memory_limit().
[[nodiscard]] bool gives_huge_pages(const char* root = "") noexcept;

}  // namespace bufpool::platform
