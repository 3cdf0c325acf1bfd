// SPDX-License-Identifier: MIT
// Writes the report of a program that closes stderr on its way out. All coreutils do so, by
// close_stdout of gnulib in an atexit handler, and so does tar, in main. The library's destructor
// comes after that, and would be too late.
//
// A duplicate of the descriptor would still be there. But the program may go on for long after it
// has closed its own. Its parent would then wait for the end of the pipe, and a terminal could not
// be let go. Programs also close and choose numbers as they like, so the number of the duplicate
// might be theirs by then. So the report is written at the last moment that stderr is there.
//
// It is not known whether the exit has begun. libc tells that by a thread_local destructor only.
// The registration of one allocates, which a program's start must not do. A program that goes on
// without stderr has its report up to then.
#include <unistd.h>

#include <cstdio>
#include <tuple>

#include "interpose/exit/exit_report.h"
#include "interpose/export.h"
#include "interpose/next_symbol.h"

namespace bufpool {
namespace {

constinit NextSymbol<int(FILE*)> next_fclose("fclose");

}  // namespace

void find_next_fclose() noexcept { std::ignore = next_fclose.get(); }

}  // namespace bufpool

// The variable `stderr` may lead to another stream, and another stream to the descriptor. A program
// may have a `fileno` of its own.
BUFPOOL_EXPORT int fclose(FILE* stream) {
  if (stream->_fileno == STDERR_FILENO) bufpool::report_before_close();
  return bufpool::next_fclose.get()(stream);
}
