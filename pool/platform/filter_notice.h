// SPDX-License-Identifier: MIT
// Whether the program may be about to forbid itself system calls. Almost all programs that set a
// filter give up new privileges first, and libc's prctl tells the library of both steps.
#pragma once

#include <atomic>

namespace bufpool::platform {
namespace filter_notice {

inline constinit std::atomic<bool> given{false};

}  // namespace filter_notice

// Says that the program gives up new privileges or sets a filter. It stays said. Any thread and any
// signal handler may call it.
inline void expect_filter() noexcept {
  filter_notice::given.store(true, std::memory_order_relaxed);
}

// Whether expect_filter() was called in this process, or in one that it was forked from. From then
// on the library makes no system call that it can do without and that the program may not have
// allowed. It makes no system call itself. Any thread and any signal handler may call it.
[[nodiscard]] inline bool expects_filter() noexcept {
  return filter_notice::given.load(std::memory_order_relaxed);
}

}  // namespace bufpool::platform
