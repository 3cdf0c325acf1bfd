// SPDX-License-Identifier: MIT
// Promise: a signal handler gets and frees buffers of sizes in use, ten thousand times a second,
//   beside the code that it interrupts. It corrupts nothing and does not hang.
// Needs: library
#include <sys/time.h>

#include <csignal>

#include "tests/programs/promise.h"

namespace {

constexpr std::array<std::size_t, 3> kUsed = {3000, 20000, 90000};
volatile unsigned handled;

void handle(int) {
  const int error = errno;
  const std::size_t bytes = kUsed[handled % kUsed.size()];
  std::array<void*, 3> held{};
  for (void*& memory : held) {
    memory = promise::get<void>(bytes);
    promise::fill(memory, 200, handled);
  }
  for (void* memory : held) {
    promise::keep(promise::holds(memory, 200, handled), "the handler's buffers are its own");
    promise::put(memory);
  }
  handled = handled + 1;
  errno = error;
}

void work(unsigned round) {
  std::array<void*, 3> held{};
  for (unsigned i = 0; i < held.size(); ++i) {
    held[i] = promise::get<void>(kUsed[i]);
    promise::fill(held[i], 200, round + i);
  }
  for (unsigned i = 0; i < held.size(); ++i) {
    promise::keep(promise::holds(held[i], 200, round + i), "main's buffers are its own");
    promise::put(held[i]);
  }
}

}  // namespace

int main() {
  for (unsigned round = 0; round < 1000; ++round) work(round);
  signal(SIGALRM, handle);
  const itimerval often{{0, 100}, {0, 100}};
  setitimer(ITIMER_REAL, &often, nullptr);
  for (unsigned round = 0; handled < 10'000; ++round) work(round);
  signal(SIGALRM, SIG_IGN);
}
