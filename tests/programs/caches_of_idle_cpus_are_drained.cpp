// SPDX-License-Identifier: MIT
// Promise: buffers in the cache of a CPU that the program has left go back, too.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=1s
#include "tests/programs/memory.h"

int main() {
  promise::use(70'000, 10);
  cpu_set_t all;
  sched_getaffinity(0, sizeof all, &all);
  const std::size_t before = promise::resident_bytes();
  if (!promise::move_to_cpu(false)) promise::skip("CPUs cannot be chosen here");
  // Stacks that run full and empty in turns grow. What gets old in them goes back meanwhile.
  promise::keep(promise::comes_true([&] {
                  for (const std::size_t size : {70'000, 1 << 20}) {
                    for (int i = 0; i < 40; ++i) promise::Burst burst(24 * promise::kMiB, size);
                  }
                  return promise::grown_since(before) > 16 * promise::kMiB;
                }),
                "much is cached");
  sched_setaffinity(0, sizeof all, &all);
  if (!promise::move_to_cpu(true)) promise::skip("there is one CPU only");
  promise::use(3000, 10);
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 4 * promise::kMiB; }),
      "nothing stays behind");
}
