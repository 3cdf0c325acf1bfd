// SPDX-License-Identifier: MIT
// Promise: a process that uses little has little address space, and had more at no time: 64 MiB
//   beyond the 16 that such a program has by itself.
#include "tests/programs/memory.h"

int main() {
  for (const std::size_t bytes : promise::kSizes) {
    if (bytes <= promise::kMiB) promise::use(bytes);
  }
  const promise::FileText<4096> status("/proc/self/status");
  const std::size_t peak = status.number("VmPeak:") << 10;
  promise::keep(peak != 0, "the system tells");
  promise::keep(peak < 80 * promise::kMiB, "at most 80 MiB");
}
