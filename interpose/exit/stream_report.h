// SPDX-License-Identifier: MIT
// Writes a report into a stream of libc's.
#pragma once

#include <cstdio>
#include <string_view>

namespace bufpool {

// Writes a full report of now as text, and the lines of `closing` behind it, into the stream,
// behind what the stream already holds. The thread is not cancelled meanwhile. A report to a
// descriptor waits for a reader as write_report() does. A stream without a descriptor gets it as
// one piece, or `closing` alone where the system gives no file in memory. No signal handler may
// call it.
void write_report_into(std::FILE* stream, std::string_view closing) noexcept;

}  // namespace bufpool
