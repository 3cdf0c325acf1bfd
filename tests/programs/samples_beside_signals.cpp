// SPDX-License-Identifier: MIT
// Promise: signal handlers that allocate, in the middle of a sample or of its end, leave the
//   samples right.
// Needs: library
// Env: BUFPOOL_SAMPLE=4K
#include <sys/time.h>
#include <csignal>

#include "tests/programs/own_samples.h"

namespace {

volatile sig_atomic_t handled = 0;

void handle(int) {
  void* const buffer = promise::hide(malloc(9000));
  promise::keep(buffer != nullptr, "a handler gets memory");
  promise::put(buffer);
  handled = handled + 1;
}

}  // namespace

int main() {
  promise::use(9000, 3);
  const std::size_t before = promise::held(0);
  struct sigaction action {};
  action.sa_handler = handle;
  sigaction(SIGALRM, &action, nullptr);
  const itimerval often{{0, 200}, {0, 200}};
  setitimer(ITIMER_REAL, &often, nullptr);
  while (handled < 500) promise::use(10000, 100);
  const itimerval never{};
  setitimer(ITIMER_REAL, &never, nullptr);
  promise::use(10000, 10);
  promise::keep_held(before);
}
