// SPDX-License-Identifier: MIT
// Decides whether a thread's small requests are better served by the pool than by the allocator
// underneath, which sets much address space aside for each thread.
#pragma once

#include "interpose/thread_space.h"

namespace bufpool::scarce_space {

// Returns whether the pool has a class for small requests. Any thread and any signal handler may
// call it.
[[nodiscard]] bool pool_serves_small() noexcept;

// Returns whether a small request is to go to the pool's smallest class. This is so if mimalloc had
// no memory for a thread lately. It is also so if mimalloc never served this thread and this thread
// is refused a share of the address space. Otherwise `share` is taken where there is a limit, and
// the caller keeps it until mimalloc has served the thread. It may read a file. Any thread and any
// signal handler may call it. Pre: mimalloc has not served this thread, or had no memory for it the
// last time.
[[nodiscard]] bool is_better_pooled(ThreadSpace::Share& share) noexcept;

// Notes that mimalloc had no memory for a thread. Any thread and any signal handler may call it.
void note_backing_refused() noexcept;

}  // namespace bufpool::scarce_space
