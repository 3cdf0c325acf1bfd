// SPDX-License-Identifier: MIT
// The report at exit, and its way out of a process that may have closed everything.
#pragma once

#include <cstdint>
#include <string_view>

#include "pool/options/options.h"
#include "pool/telemetry/snapshot.h"

namespace bufpool {

// Everything there is to tell about this process, pool and passed-on requests together.
void take_snapshot(Snapshot& out) noexcept;

// Makes the report ready to be written without memory, libc or luck. Called once, at start.
void prepare_exit_report(const Options& options) noexcept;

// In a forked child: it has a report of its own.
void restart_report_in_child() noexcept;

// Writes the report, the first time it is called in a process that has made enough requests; waits,
// for two seconds at most, where another thread is about it. A vfork child, which shares the
// parent's memory, has none.
void report_exit() noexcept;

// The same, where the report goes to stderr, which is about to be closed.
void report_before_close() noexcept;

// Writes the report as text on stderr, now (malloc_stats), and `closing` after it: lines, each
// ended by a newline. Any thread may call it at any time.
void print_report(std::string_view closing) noexcept;

}  // namespace bufpool
