// SPDX-License-Identifier: MIT
// Decides whether a thread's small requests are better served by the pool than by the allocator
// underneath, which sets much address space aside for each thread.
#pragma once

#include <cstddef>

namespace bufpool::scarce_space {

// Asks for the limit of address space. Pre: called once, at start: a process that has locked itself
// in later on may be killed for the call.
void learn_limit() noexcept;

// Returns whether a request of `size` bytes is to go to the pool's smallest class. This is so if
// the request is small, mimalloc has not served this thread yet, and address space is short or
// mimalloc had none for a thread lately. It may read a file.
[[nodiscard]] bool is_better_pooled(std::size_t size) noexcept;

// Notes that mimalloc had no memory for a thread.
void note_backing_refused() noexcept;

}  // namespace bufpool::scarce_space
