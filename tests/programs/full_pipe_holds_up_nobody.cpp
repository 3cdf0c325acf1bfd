// SPDX-License-Identifier: MIT
// Promise: a program whose stderr is a full pipe that nobody reads ends by itself and with its own
//   status. It may have a report to tell, a wrong variable, or a fault of its own. The pipe blocks
//   afterwards as it did before.
// Env: -BUFPOOL_REPORT BUFPOOL_MODE=nonsense BUFPOOL_REPROT=typo
// Modes: auto
// Stderr-not: not kept
#include <malloc.h>

#include <string_view>

#include "tests/programs/again.h"

namespace {

int leave(std::string_view how) {
  promise::use(20000, 500);
  char* buffer = promise::get(20000);
  promise::put(buffer);
  if (how == "fault") promise::put(buffer);
  if (how == "stats") malloc_stats();
  return 7;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2) return leave(arguments[1]);
  const promise::Pipe pipe = promise::make_pipe();
  promise::fill_pipe(pipe);
  const int flags = fcntl(pipe.writer, F_GETFL);
  const int ended = promise::wait_for(promise::start_again("report", pipe.writer));
  promise::keep(WIFEXITED(ended) && WEXITSTATUS(ended) == 7, "it ends with its own status");
  const int told = promise::wait_for(promise::start_again("stats", pipe.writer));
  promise::keep(WIFEXITED(told) && WEXITSTATUS(told) == 7, "malloc_stats comes back");
  const int aborted = promise::wait_for(promise::start_again("fault", pipe.writer));
  promise::keep(WIFSIGNALED(aborted) && WTERMSIG(aborted) == SIGABRT, "a double free aborts");
  promise::keep(fcntl(pipe.writer, F_GETFL) == flags, "the pipe is as it was");
}
