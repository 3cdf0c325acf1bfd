// SPDX-License-Identifier: MIT
// This is the contract for filters of system calls (seccomp): which calls a thread may make without
// harm. linux/process.cpp implements it. Every function may be called before constructors, in a
// forked child and in a signal handler. None allocates, none changes errno, and each needs little
// stack.
#pragma once

#include <cstdint>

namespace bufpool::platform {

// Returns how many filters are in force for this thread. It is kNotTold where nothing can be read,
// and where there are filters that the kernel does not count (before Linux 5.9). It reads the file
// `status` and makes no other call.
inline constexpr int kNotTold = -1;
[[nodiscard]] int call_filters(const char* status = "/proc/thread-self/status") noexcept;

// Remembers the filters that the process was started under. They are a container's or a service
// manager's, and made for programs as they are. Pre: called once, at start.
void remember_filters() noexcept;

// Names the calls that do this thread no harm, though it never made them before.
enum class SafeCalls : std::uint8_t {
  kAny,      // there is no filter
  kLoaders,  // those that the loader made to start the program: no filter was added since
  kFew,      // a filter was added, or it is not known
};

// Returns which calls are safe for this thread now. It makes the calls of call_filters().
[[nodiscard]] SafeCalls safe_calls(const char* status = "/proc/thread-self/status") noexcept;

// Notes that the program has taken the step that comes before a filter of its own for almost all
// programs: it has given up new privileges, or set the filter itself.
void expect_filter() noexcept;

// Returns whether expect_filter() was called. It makes no system call. If it returns true, a system
// call that the program does not know may end the process: none is made where the library can do
// without.
[[nodiscard]] bool expects_filter() noexcept;

}  // namespace bufpool::platform
