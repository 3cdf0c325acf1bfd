// SPDX-License-Identifier: MIT
// The library's start, forks and end.
#pragma once

namespace bufpool {

// Brings the pool to life with the first request that may be its own. True: it is alive. False: it
// never will be, or libc is not far enough yet to know the environment.
[[nodiscard]] bool start_pool() noexcept;

// Around a fork.
void before_fork() noexcept;
void after_fork_in_parent() noexcept;
void after_fork_in_child() noexcept;

// BUFPOOL_DEEPBIND and BUFPOOL_VERBOSE, as far as the environment is known.
[[nodiscard]] bool keeps_deepbind() noexcept;
[[nodiscard]] bool tells_more() noexcept;

}  // namespace bufpool
