// SPDX-License-Identifier: MIT
// Promise: BUFPOOL_WARMUP has the buffers' pages ready before main. That does not count as a use of
//   them.
// Needs: library
// Env: BUFPOOL_WARMUP=64K:500,1M:32 BUFPOOL_RETAIN_MAX=1G BUFPOOL_TRIMMER=off
// Reports: 1
// Class: 64K gets=10 puts=10 in_use=0 faulted=0
// Class: 1M gets=3 puts=3 in_use=0 faulted=0
#include "tests/programs/memory.h"

int main() {
  const std::size_t resident = promise::resident_bytes();
  promise::keep(resident > 62 * promise::kMiB, "63 MiB are there");
  promise::keep(resident < 100 * promise::kMiB, "and not much more");
  std::array<void*, 10> held{};
  for (void*& memory : held) memory = memset(promise::get<void>(65'536), 1, 65'536);
  for (void* memory : held) promise::put(memory);
  promise::use(1 << 20, 3);
}
