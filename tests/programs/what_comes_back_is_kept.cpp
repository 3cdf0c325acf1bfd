// SPDX-License-Identifier: MIT
// Promise: memory that was given back and is missed soon after earns a budget that keeps it.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=10m BUFPOOL_RETAIN_MAX=64M
#include <sys/resource.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kBurst = 40 * promise::kMiB;

// How many pages a burst had to ask the system for.
long faults_of_burst() {
  rusage before{};
  rusage after{};
  getrusage(RUSAGE_SELF, &before);
  { promise::Burst burst(kBurst, 100'000); }
  getrusage(RUSAGE_SELF, &after);
  return after.ru_minflt - before.ru_minflt;
}

}  // namespace

int main() {
  constexpr auto kPages = static_cast<long>(kBurst / 4096);
  promise::keep(faults_of_burst() > kPages / 2, "all of it is fresh at first");
  bool missed = false;
  for (int i = 0; i < 8; ++i) {
    promise::sleep_ms(1800);  // longer than idle bytes over the budget stay
    const long faults = faults_of_burst();
    missed |= faults > kPages / 2;
    if (missed && faults < kPages / 4) return 0;
  }
  promise::keep(!missed, "what is missed time and again is kept in the end");
  promise::keep(false, "a burst over the budget goes back");
}
