// SPDX-License-Identifier: MIT
// The report of a program that closes stderr on its way out, as all coreutils do (close_stdout of
// gnulib, from an atexit handler, and tar from main): at our destructor it would be too late.
//
// A duplicate of the descriptor would be there still. But nobody can tell how long the program
// goes on after it has closed its own: a starter would wait for the end of its pipe, a terminal
// could not be let go. And a number that was kept is as little ours as any other: programs close
// and choose numbers as they like. So the report is written at the last moment that stderr is
// there. Whether the exit has begun cannot be known: libc tells nobody without allocating (a
// thread_local destructor does), which a program's start must not. A program that has enough to
// tell, and goes on without stderr, has told what there was up to then.
#include <cstdio>
#include <tuple>

#include "interpose/exit_report.h"
#include "interpose/next_symbol.h"

namespace bufpool {
namespace {

constinit NextSymbol<int(FILE*)> next_fclose("fclose");

}  // namespace

void find_next_fclose() noexcept { std::ignore = next_fclose.get(); }

}  // namespace bufpool

extern "C" [[gnu::visibility("default")]] int fclose(FILE* stream) {
  if (stream == stderr) bufpool::report_before_close();
  return bufpool::next_fclose.get()(stream);
}
