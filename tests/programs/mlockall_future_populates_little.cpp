// SPDX-License-Identifier: MIT
// Promise: mlockall of all that is and will be mapped does not fill memory that the pool has not
//   needed yet.
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/programs/promise.h"

int main() {
  promise::use(70000, 10);
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
    promise::keep(errno == EPERM || geteuid() != 0, "the system locks what is mapped");
    promise::skip("locking memory is not allowed here");
  }
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 20);
  std::array<void*, 200> held{};
  for (void*& memory : held) memory = promise::get<void>(65536);
  for (void* memory : held) promise::put(memory);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  promise::keep(usage.ru_maxrss < (512 << 10), "at most 512 MiB resident");
}
