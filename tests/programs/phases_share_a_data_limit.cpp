// SPDX-License-Identifier: MIT
// Promise: what a program has freed does not count against its limit of data (RLIMIT_DATA) for
//   long. Phases of one size after another each have all of the limit.
#include <sys/resource.h>

#include <vector>

#include "tests/programs/promise.h"

int main() {
  constexpr std::size_t kMiB = 1 << 20;
  const rlimit limit{256 * kMiB, 256 * kMiB};
  promise::keep(setrlimit(RLIMIT_DATA, &limit) == 0, "the limit is set");
  for (const std::size_t kib : {1024, 64, 4096, 16, 300, 16 * 1024}) {
    const std::size_t size = kib << 10;
    std::vector<void*> held(128 * kMiB / size);
    for (void*& memory : held) {
      memory = promise::get<void>(size);
      *static_cast<volatile char*>(memory) = 1;
    }
    for (void* memory : held) promise::put(memory);
  }
}
