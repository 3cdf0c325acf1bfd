// SPDX-License-Identifier: MIT
// Promise: a large request that fails under a limit of address space does not move the small
//   requests of its thread: mimalloc has room for them.
#include <malloc.h>
#include <sys/resource.h>

#include <cstdio>

#include "tests/programs/promise.h"

namespace {

std::size_t mapped_bytes() {
  FILE* const file = fopen("/proc/self/statm", "r");
  promise::keep(file != nullptr, "statm can be read");
  std::size_t pages = 0;
  promise::keep(fscanf(file, "%zu", &pages) == 1, "statm has a number");
  fclose(file);
  return pages * 4096;
}

std::size_t size_of_a_small_one() {
  void* const small = promise::get<void>(32);
  const std::size_t bytes = malloc_usable_size(small);
  promise::put(small);
  return bytes;
}

}  // namespace

int main() {
  promise::use(5000);
  promise::keep(size_of_a_small_one() < 512, "mimalloc serves a small request");
  const std::size_t limit = mapped_bytes() + (std::size_t{100} << 20);
  const rlimit wanted{limit, limit};
  promise::keep(setrlimit(RLIMIT_AS, &wanted) == 0, "the limit is set");
  promise::keep(malloc(std::size_t{2} << 30) == nullptr, "a large request fails");
  promise::keep(size_of_a_small_one() < 512, "mimalloc serves a small request as before");

  // The call writes the old limit where the new one stood.
  rlimit swapped{limit / 2 + mapped_bytes(), limit};
  const rlim_t lower = swapped.rlim_cur;
  promise::keep(prlimit(0, RLIMIT_AS, &swapped, &swapped) == 0, "the limits are swapped");
  promise::keep(swapped.rlim_cur == limit, "the old limit is told");
  rlimit now{};
  promise::keep(getrlimit(RLIMIT_AS, &now) == 0 && now.rlim_cur == lower, "the new one holds");
}
