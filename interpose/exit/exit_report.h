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

// Returns whether the process is to report while it goes on. Pre: prepare_exit_report().
[[nodiscard]] bool reports_while_it_runs() noexcept;

// Appends a report to the file, and warnings of the time since the last one, if that is due. It
// never waits for a reader. It is for a thread that has none of the program's descriptors, and one
// thread calls it.
void report_if_due() noexcept;

// Returns whether stderr is what the process was started with, and no file of the program's that
// took its number. Pre: prepare_exit_report(), with a report or BUFPOOL_VERBOSE.
[[nodiscard]] bool has_own_stderr() noexcept;

// Returns whether the reports of the process go to a file. Pre: prepare_exit_report().
[[nodiscard]] bool reports_to_a_file() noexcept;

// Appends a report to the file now. Returns false if it could not be written. It is for the same
// thread as report_if_due(), and waits as little.
[[nodiscard]] bool append_report() noexcept;

// Writes a report of now to the descriptor, which stays the caller's, and the lines of `closing`
// behind it, each ended by a newline. Returns 0, or the error because of which not all of it was
// written: ETIMEDOUT if the reader of a pipe, a terminal or a socket gave no room for a second,
// EBUSY if another thread's report took two, or if this is a signal handler that interrupted
// one. Any thread and any signal handler may call it at any time.
int write_report(int descriptor, ReportForm form, ReportDetail detail,
                 std::string_view closing = {}) noexcept;

}  // namespace bufpool
