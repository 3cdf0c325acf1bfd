// SPDX-License-Identifier: MIT
// Promise: in a process that has used up its mappings requests are served or fail with ENOMEM, and
//   free works. Once mappings come free, all are served.
#include <array>

#include "tests/programs/mappings.h"

namespace {

std::array<void*, 500> held;

// Returns how many of 6,000 requests failed.
int ask() {
  int failed = 0;
  unsigned random = 1;
  for (int i = 0; i < 6000; ++i) {
    random = random * 1103515245 + 12345;
    const unsigned at = (random >> 8) % held.size();
    const std::size_t bytes = std::size_t{100} << (random >> 20) % 14;
    promise::put(held[at]);
    errno = 0;
    held[at] = malloc(promise::hide(bytes));
    if (held[at] == nullptr) {
      promise::keep(errno == ENOMEM, "ENOMEM");
      ++failed;
    } else {
      promise::fill(held[at], 64, random);
    }
  }
  return failed;
}

}  // namespace

int main() {
  promise::UsedUpMappings mappings;
  mappings.use_all_but(0);
  ask();
  mappings.free_all();
  promise::keep(ask() == 0, "all are served again");
  for (void* memory : held) promise::put(memory);
}
