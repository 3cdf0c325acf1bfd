// SPDX-License-Identifier: MIT
// Promise: the library changes no signal's disposition and no mask, of main or of a new thread.
#include <csignal>
#include <thread>

#include "tests/programs/promise.h"

namespace {

void expect_mask_empty() {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  for (int number = 1; number < 32; ++number) {
    promise::keep(sigismember(&mask, number) == 0, "no signal is blocked");
  }
}

}  // namespace

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 30);
  for (int number = 1; number < 32; ++number) {
    struct sigaction action {};
    sigaction(number, nullptr, &action);
    const bool by_runner = number == SIGPIPE || number == SIGXFSZ;
    promise::keep(action.sa_handler == SIG_DFL || by_runner, "every signal has its default");
  }
  expect_mask_empty();
  std::thread(expect_mask_empty).join();
}
