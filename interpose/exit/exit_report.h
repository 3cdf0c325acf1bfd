// SPDX-License-Identifier: MIT
// When there is a report, and of what.
#pragma once

#include <string_view>

#include "pool/options/options.h"

namespace bufpool {

// Makes the report ready to be written without memory, libc or luck. Pre: called once, at start.
void prepare_exit_report(const Options& options) noexcept;

// Gives a forked child a report of its own.
void restart_report_in_child() noexcept;

// Writes the report, the first time that it is called in a process that has made enough requests.
// It waits where another thread is about it, for two seconds at most. A vfork child has none, as it
// shares the parent's memory. Any thread and any signal handler may call it.
void report_exit() noexcept;

// Does what report_exit() does if the report goes to stderr, which is about to be closed.
void report_before_close() noexcept;

// Writes the report as text on stderr, now (malloc_stats), and the lines of `closing` behind it,
// each ended by a newline. Any thread may call it at any time.
void print_report(std::string_view closing) noexcept;

}  // namespace bufpool
