// SPDX-License-Identifier: MIT
// Promise: if a program closes its descriptor 2, to say that it is ready or to become a daemon, the
//   library keeps nothing of it open. The reader of the pipe sees its end while the program goes
//   on.
// Env: -BUFPOOL_REPORT
// Stderr-not: not kept
#include "tests/programs/again.h"

int main(int count, char**) {
  promise::use(20000, 500);
  if (count == 2) {
    close(STDERR_FILENO);
    char gate = 0;
    return read(STDIN_FILENO, &gate, 1) == 0 ? 0 : 1;
  }
  const promise::Pipe errors = promise::make_pipe();
  const promise::Pipe gate = promise::make_pipe();
  const pid_t child = promise::start_again("ready", errors.writer, gate.reader);
  close(errors.writer);
  promise::keep(promise::read_to_end(errors.reader).empty(), "nothing is told there");
  promise::keep(waitpid(child, nullptr, WNOHANG) == 0, "the program goes on");
  close(gate.writer);
  promise::keep(promise::wait_for(child) == 0, "it ends well");
}
