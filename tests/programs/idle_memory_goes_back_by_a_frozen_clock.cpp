// SPDX-License-Identifier: MIT
// Promise: what a program frees goes back to the system even if a library before libc stops the
//   clocks and stretches the waits, as libfaketime does. The trimmer's thread gives it back or, if
//   there is none, the program's own calls do.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=1s BUFPOOL_CPU_CACHE=16M
// Run: thread
// Preload-before: frozen_clock
// Args: waits
// Run: calls BUFPOOL_TRIMMER=off
// Preload-before: frozen_clock
// Args: calls
#include <string_view>

#include "tests/programs/memory.h"

namespace {

// Waits without a clock. Returns true as soon as the memory is back.
bool goes_back(std::size_t before, bool calls) {
  for (int waited_ms = 0; waited_ms < 30'000; waited_ms += 20) {
    if (promise::grown_since(before) < 4 * promise::kMiB) return true;
    if (calls) promise::use(promise::kMiB * 33, 2);  // too large for a cache: each is a slow path
    promise::sleep_ms(20);
  }
  return false;
}

}  // namespace

int main(int, char** arguments) {
  const std::uint64_t start = promise::now_ms();
  promise::sleep_ms(20);
  promise::keep(promise::now_ms() == start, "the clock stands still");
  const std::size_t before = promise::resident_bytes();
  {
    const promise::Burst burst(60 * promise::kMiB, 60'000);
    promise::keep(promise::grown_since(before) > 50 * promise::kMiB, "60 MB are resident");
  }
  promise::keep(goes_back(before, std::string_view(arguments[1]) == "calls"), "and go back");
}
