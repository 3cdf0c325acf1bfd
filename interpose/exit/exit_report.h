// SPDX-License-Identifier: MIT
// Decides when there is a report, and of what.
#pragma once

#include <string_view>

#include "pool/options/options.h"

namespace bufpool {

// Makes ready what a report needs, so that it can be written later without memory. Pre: it is
// called once, at start.
void prepare_exit_report(const Options& options) noexcept;

// Gives a forked child a report of its own. Pre: it is called in the child, by the thread that
// forked.
void restart_report_in_child() noexcept;

// Writes the report, the first time that it is called in a process that has made enough requests.
// If another thread is writing it, it waits for that thread, for two seconds at most. A vfork child
// has no report, because it shares its parent's memory. Any thread and any signal handler may call
// it.
void report_exit() noexcept;

// Does what report_exit() does if the report goes to stderr, which is about to be closed. Any
// thread and any signal handler may call it.
void report_before_close() noexcept;

// Writes the report as text on stderr, now (malloc_stats), and the lines of `closing` behind it,
// each ended by a newline. Any thread may call it at any time.
void print_report(std::string_view closing) noexcept;

}  // namespace bufpool
