// SPDX-License-Identifier: MIT
// Promise: twenty thousand buffers, held and then freed in part, use few mappings. The system
//   allows a process 65,530.
#include <vector>

#include "tests/programs/promise.h"

namespace {

int mappings() {
  FILE* maps = fopen("/proc/self/maps", "r");
  int lines = 0;
  for (int next = fgetc(maps); next != EOF; next = fgetc(maps)) lines += next == '\n' ? 1 : 0;
  fclose(maps);
  return lines;
}

}  // namespace

int main() {
  std::vector<void*> held(20000);
  for (void*& memory : held) memory = promise::get<void>(65536);
  promise::keep(mappings() < 1000, "few mappings while all are held");
  for (std::size_t i = 0; i < held.size(); i += 2) promise::put(held[i]);
  promise::keep(mappings() < 1000, "few mappings when half are free");
  for (std::size_t i = 1; i < held.size(); i += 2) promise::put(held[i]);
}
