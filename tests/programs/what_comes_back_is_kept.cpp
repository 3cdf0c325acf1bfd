// SPDX-License-Identifier: MIT
// Promise: memory that was given back and is missed soon after earns a budget that keeps it.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=10m BUFPOOL_RETAIN_MAX=64M BUFPOOL_PRESSURE=off BUFPOOL_HUGEPAGES=off
#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kBurst = 40 * promise::kMiB;

// Returns how many pages a burst had to ask the system for.
long faults_of_burst() {
  const long before = promise::page_faults();
  { promise::Burst burst(kBurst, 100'000); }
  return promise::page_faults() - before;
}

// Idle bytes over the budget stay for about a second. The test waits for them longer than that, but
// not for as long as a budget lasts that earns nothing.
bool goes_back() {
  const std::size_t idle = promise::resident_bytes();
  const std::uint64_t start = promise::now_ms();
  while (promise::now_ms() - start < 3000) {
    if (promise::resident_bytes() + kBurst / 2 < idle) return true;
    promise::sleep_ms(20);
  }
  return false;
}

}  // namespace

int main() {
  constexpr auto kPages = static_cast<long>(kBurst / 4096);
  promise::keep(faults_of_burst() > kPages / 2, "all of it is fresh at first");
  bool missed = false;
  for (int i = 0; i < 20; ++i) {
    const bool gone = goes_back();
    missed |= gone;
    if (faults_of_burst() < kPages / 4 && missed && !gone) return 0;
  }
  promise::keep(!missed, "what is missed time and again is kept in the end");
  promise::keep(false, "a burst over the budget goes back");
}
