// SPDX-License-Identifier: MIT
// Writes a report into a stream of libc's.
#pragma once

#include <cstdio>
#include <string_view>

namespace bufpool {

// Writes a full report of now as text, and the lines of `closing` behind it, into the stream as one
// piece. It takes the stream's lock and may wait for a reader, as libc's printing does. The thread
// is not cancelled meanwhile. Where the system gives no file in memory for the report, `closing` is
// all. No signal handler may call it.
void write_report_into(std::FILE* stream, std::string_view closing) noexcept;

}  // namespace bufpool
