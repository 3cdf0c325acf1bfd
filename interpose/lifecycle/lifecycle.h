// SPDX-License-Identifier: MIT
// Starts the library, and sees the process through forks.
#pragma once

namespace bufpool {

// Brings the pool to life with the first request that may be its own. Returns whether it is alive.
// It is not if there is none to be had, if the user wants none, or while libc does not know the
// environment yet. Any thread and any signal handler may call it.
[[nodiscard]] bool start_pool() noexcept;

// Prepare the pool, the counters and the report for a fork, and repair them after it. fork() itself
// calls them, in the thread that forks.
void before_fork() noexcept;
void after_fork_in_parent() noexcept;
void after_fork_in_child() noexcept;

// Tells whether this thread is between before_fork() and what is called after the fork. libc may
// hold its locks for the fork then.
[[nodiscard]] bool is_fork_under_way() noexcept;

// Return BUFPOOL_DEEPBIND and BUFPOOL_VERBOSE. They return false before libc knows the environment.
// keeps_deepbind() starts the pool, which reads the options. is_verbose() does not, so it returns
// false before the pool has started. Any thread may call them.
[[nodiscard]] bool keeps_deepbind() noexcept;
[[nodiscard]] bool is_verbose() noexcept;

}  // namespace bufpool
