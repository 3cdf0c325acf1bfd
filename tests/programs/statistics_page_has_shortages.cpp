// SPDX-License-Identifier: MIT
// Promise: the statistics page tells how often idle memory went back as the system refused more.
// Needs: library
// Limit: as=1G
// Env: BUFPOOL_RETAIN_MAX=1G
#include <vector>

#include "tests/programs/own_page.h"

int main() {
  std::vector<void*> held;
  held.reserve(1 << 16);
  for (int round = 0; round < 2; ++round) {
    const std::size_t bytes = std::size_t{100'000} << round;
    while (void* const memory = malloc(promise::hide(bytes))) {
      promise::fill(memory, 64, 1);
      held.push_back(memory);
    }
    for (void* const memory : held) promise::put(memory);
    held.clear();
  }
  promise::use(300'000, 10);
  const bufpool::StatsPage page = promise::read_page(promise::own_page());
  const bufpool::StatsField* const field = page.find(bufpool::StatsScope::kProcess, "shortages");
  promise::keep(field != nullptr && page.value(*field) > 0, "shortages are told");
}
