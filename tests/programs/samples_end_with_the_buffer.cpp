// SPDX-License-Identifier: MIT
// Promise: a sample lasts as long as its buffer, whoever frees it: a realloc in place keeps it, one
//   that leaves the pool ends it, and so does another thread. How long it was held is counted.
// Needs: library
// Env: BUFPOOL_SAMPLE=4K BUFPOOL_MAX_SIZE=64M
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <thread>

#include "tests/programs/own_samples.h"

namespace {

constexpr std::size_t kBytes = promise::kSampled + 77;

void check_resized_in_place() {
  void* const buffer = promise::get<void>(kBytes);
  promise::keep(realloc(promise::hide(buffer), kBytes + 8) == buffer, "it stays");
  promise::keep(promise::held(kBytes) == 1, "a realloc in place keeps the sample");
  malloc_trim(0);
  promise::keep(promise::held(kBytes) == 1, "and so does a trim");
  promise::put(buffer);
  promise::keep(promise::held(kBytes) == 0, "a free ends it");
}

void check_out_of_the_pool() {
  void* const buffer = promise::get<void>(kBytes);
  void* const left = realloc(promise::hide(buffer), 100 << 20);
  promise::keep(left != nullptr && promise::held(kBytes) == 0, "a realloc out of the pool ends it");
  promise::put(left);
  void* const small = realloc(promise::get<void>(kBytes), 40);
  promise::keep(promise::held(kBytes) == 0, "and one to a small block does");
  promise::put(small);
}

void check_growing() {
  const std::size_t before = promise::held(0);
  void* buffer = promise::get<void>(kBytes);
  for (std::size_t bytes = kBytes; bytes < 20 << 20; bytes += bytes / 3) {
    buffer = realloc(promise::hide(buffer), bytes);
    promise::keep(buffer != nullptr, "it grows");
    promise::keep(promise::held(0) == before + 1, "a growing buffer has one sample");
  }
  promise::put(buffer);
  promise::keep(promise::held(0) == before, "and none after its free");
}

void check_other_thread() {
  void* const buffer = promise::get<void>(kBytes);
  std::thread([buffer] { promise::put(buffer); }).join();
  promise::keep(promise::held(kBytes) == 0, "a free by another thread ends it");
}

void check_time() {
  constexpr long kHeld = 20'000'000;
  void* const buffer = promise::get<void>(kBytes);
  const timespec pause{0, kHeld};
  nanosleep(&pause, nullptr);
  promise::put(buffer);
  const promise::OwnSamples samples = promise::own_samples();
  promise::keep(std::any_of(samples.stacks.begin(), samples.stacks.end(),
                            [](const bufpool::StatsSampledStack& stack) {
                              return stack.longest_ns >= kHeld && stack.held_ns >= stack.longest_ns;
                            }),
                "the longest time is known");
}

}  // namespace

int main() {
  promise::use(kBytes, 2);
  const std::size_t before = promise::held(0);
  check_resized_in_place();
  check_out_of_the_pool();
  check_growing();
  check_other_thread();
  check_time();
  promise::keep_held(before);
}
