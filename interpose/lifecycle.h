// SPDX-License-Identifier: MIT
// The library's start, forks and end.
#pragma once

namespace bufpool {

// Brings the pool to life with the first request that may be its own. True: it is alive. False: it
// never will be, or libc is not far enough yet to know the environment.
[[nodiscard]] bool start_pool() noexcept;

}  // namespace bufpool
