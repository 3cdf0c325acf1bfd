// SPDX-License-Identifier: MIT
// Promise: mallopt takes the settings of glibc that programs use, and the pool goes on.
#include <malloc.h>

#include <utility>

#include "tests/programs/promise.h"

int main() {
  const std::pair<int, int> settings[] = {{M_MMAP_THRESHOLD, 1 << 24},
                                          {M_TRIM_THRESHOLD, 1 << 28},
                                          {M_TOP_PAD, 1 << 20},
                                          {M_MMAP_MAX, 0},
                                          {M_ARENA_MAX, 1},
                                          {M_ARENA_TEST, 1}};
  for (const auto& [name, value] : settings) {
    promise::keep(mallopt(name, value) == 1, "mallopt accepts");
    for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 3);
  }
}
