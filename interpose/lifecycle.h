// SPDX-License-Identifier: MIT
// The library's start, forks and end.
#pragma once

namespace bufpool {

// Brings the pool to life with the first request that may be its own. Returns whether it is alive.
// It is not if there is none to be had or wished for, or while libc is not far enough yet to know
// the environment. Any thread and any signal handler may call it.
[[nodiscard]] bool start_pool() noexcept;

// Prepare the pool, the counters and the report for a fork, and repair them after it. fork() itself
// calls them, in the thread that forks.
void before_fork() noexcept;
void after_fork_in_parent() noexcept;
void after_fork_in_child() noexcept;

// Return BUFPOOL_DEEPBIND and BUFPOOL_VERBOSE. Before libc knows the environment it is false.
[[nodiscard]] bool keeps_deepbind() noexcept;
[[nodiscard]] bool is_verbose() noexcept;

}  // namespace bufpool
