// SPDX-License-Identifier: MIT
// Promise: malloc_trim gives idle memory back to the system, whatever sizes were freed.
#include <malloc.h>

#include <vector>

#include "tests/programs/promise.h"

namespace {

std::size_t resident_bytes() {
  std::array<unsigned long, 2> pages{};
  FILE* statm = fopen("/proc/self/statm", "r");
  promise::keep(fscanf(statm, "%lu %lu", &pages[0], &pages[1]) == 2, "statm is read");
  fclose(statm);
  return pages[1] * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

int main() {
  std::vector<void*> held;
  held.reserve(40000);
  const std::size_t before = resident_bytes();
  for (const std::size_t bytes : {4096UL, 20000UL, 70000UL, 1000000UL, 10000000UL}) {
    for (std::size_t got = 0; got < (30 << 20); got += bytes) {
      held.push_back(memset(promise::get<void>(bytes), 1, bytes));
    }
  }
  promise::keep(resident_bytes() > before + (140 << 20), "150 MB are resident");
  for (void* memory : held) promise::put(memory);
  const int result = malloc_trim(0);
  promise::keep(result == 0 || result == 1, "0 or 1");
  promise::keep(resident_bytes() < before + (24 << 20), "and gone after the trim");
  promise::use(70000, 100);
}
