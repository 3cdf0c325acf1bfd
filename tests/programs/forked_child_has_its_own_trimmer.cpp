// SPDX-License-Identifier: MIT
// Promise: a forked child starts without the thread that gives memory back, and gets its own when
//   it needs one. The parent's goes on.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=1s
#include "tests/programs/memory.h"
#include "tests/programs/workers.h"

namespace {

void expect_own_trimmer() {
  const std::size_t before = promise::resident_bytes();
  promise::keep(promise::trimmer_thread() == 0, "none at first");
  { promise::Burst burst(50 * promise::kMiB, 70'000); }
  promise::keep(promise::comes_true([] { return promise::trimmer_thread() != 0; }), "then one");
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 6 * promise::kMiB; }),
      "which gives back");
}

}  // namespace

int main() {
  const std::size_t before = promise::resident_bytes();
  pid_t child = 0;
  {
    promise::Burst burst(50 * promise::kMiB, 70'000);
    { promise::Burst more(20 * promise::kMiB, 70'000); }
    promise::keep(promise::comes_true([] { return promise::trimmer_thread() != 0; }), "one here");
    child = fork();
    if (child == 0) {
      expect_own_trimmer();
      _exit(0);
    }
  }
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 6 * promise::kMiB; }),
      "the parent's goes on");
  promise::expect_good_end(child);
}
