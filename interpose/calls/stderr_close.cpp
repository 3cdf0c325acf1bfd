// SPDX-License-Identifier: MIT
// The report of a program that closes stderr on its way out, as all coreutils do (close_stdout of
// gnulib, from an atexit handler, and tar from main): at our destructor it would be too late.
//
// A duplicate of the descriptor would be there still. But the program may go on for long after it
// has closed its own: a parent would wait for the end of its pipe, and a terminal could not be let
// go. Programs also close and choose numbers as they like, so a duplicate's number might be theirs
// by then. So the report is written at the last moment that stderr is there. Whether the exit has
// begun is not known: libc tells it by a thread_local destructor only, whose registration
// allocates, which a program's start must not do. A program that goes on without stderr has its
// report up to then.
#include <cstdio>
#include <tuple>

#include "interpose/calls/next_symbol.h"
#include "interpose/exit/exit_report.h"
#include "interpose/export.h"

namespace bufpool {
namespace {

constinit NextSymbol<int(FILE*)> next_fclose("fclose");

}  // namespace

void find_next_fclose() noexcept { std::ignore = next_fclose.get(); }

}  // namespace bufpool

BUFPOOL_EXPORT int fclose(FILE* stream) {
  if (stream == stderr) bufpool::report_before_close();
  return bufpool::next_fclose.get()(stream);
}
