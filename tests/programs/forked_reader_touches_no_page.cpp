// SPDX-License-Identifier: MIT
// Promise: a forked child that only reads its parent's buffers, and allocates a little, shares the
//   pool's pages with its parent. What the parent gives back or writes meanwhile stays whole in the
//   child.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=1s
#include <malloc.h>

#include "tests/programs/memory.h"
#include "tests/programs/workers.h"

namespace {

constexpr std::size_t kBuffers = 500;
constexpr std::size_t kBytes = 100'000;
std::array<void*, kBuffers> held;

bool all_hold() {
  for (unsigned i = 0; i < kBuffers; ++i) {
    if (!promise::holds(held[i], kBytes, i)) return false;
  }
  return true;
}

[[noreturn]] void read_only(int started, int done) {
  promise::keep(all_hold(), "the child has what its parent had");
  promise::use(3000, 10);
  promise::keep(promise::private_dirty_bytes() < 4 * promise::kMiB, "in its parent's pages");
  char byte = 0;
  promise::keep(write(started, "", 1) == 1 && read(done, &byte, 1) == 1, "the parent goes on");
  promise::keep(all_hold(), "what the parent does is its own affair");
  _exit(0);
}

}  // namespace

int main() {
  for (unsigned i = 0; i < kBuffers; ++i) {
    held[i] = promise::get<void>(kBytes);
    promise::fill(held[i], kBytes, i);
  }
  std::array<int, 2> started{};
  std::array<int, 2> done{};
  promise::keep(pipe(started.data()) == 0 && pipe(done.data()) == 0, "pipes are made");
  const std::size_t before = promise::resident_bytes();
  const pid_t child = fork();
  if (child == 0) read_only(started[1], done[0]);
  close(started[1]);
  char byte = 0;
  promise::keep(read(started[0], &byte, 1) == 1, "the child has looked");
  for (std::size_t i = 0; i < kBuffers; ++i) {
    if (i % 10 == 0) memset(held[i], 0xa5, kBytes);
    promise::put(held[i]);
  }
  malloc_trim(0);
  promise::keep(promise::resident_bytes() + 40 * promise::kMiB < before, "the parent gave back");
  { promise::Burst burst(30 * promise::kMiB, kBytes); }
  promise::keep(write(done[1], "", 1) == 1, "the child looks again");
  promise::expect_good_end(child);
}
