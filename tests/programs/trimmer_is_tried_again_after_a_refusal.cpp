// SPDX-License-Identifier: MIT
// Promise: a program that may have no more threads for a while gets the thread that gives memory
//   back once it may. It does not ask for the thread on each call until then.
// Needs: library
// Env: BUFPOOL_CPU_CACHE=16M
#include <sys/resource.h>

#include "tests/programs/memory.h"

namespace {

void allow_threads(rlim_t most) {
  rlimit limit{};
  getrlimit(RLIMIT_NPROC, &limit);
  limit.rlim_cur = std::min(most, limit.rlim_max);
  promise::keep(setrlimit(RLIMIT_NPROC, &limit) == 0, "the limit is set");
}

void work() { promise::Burst burst(40 * promise::kMiB, 300'000); }

}  // namespace

int main() {
  if (geteuid() == 0) promise::keep(setuid(65534) == 0, "root is not bound by limits");
  allow_threads(1);
  for (int i = 0; i < 20; ++i) work();
  promise::keep(promise::trimmer_thread() == 0, "there is no thread");
  allow_threads(RLIM_INFINITY);
  promise::keep(promise::comes_true([] {
                  work();
                  return promise::trimmer_thread() != 0;
                }),
                "then there is one");
}
