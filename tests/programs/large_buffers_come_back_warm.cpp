// SPDX-License-Identifier: MIT
// Promise: buffers of 20 MiB to 1 GiB come back with the pages that were touched, as smaller ones
//   do. A pair takes no page fault.
// Needs: library
#include "tests/programs/memory.h"

namespace {

constexpr int kRounds = 200;

void touch(std::size_t bytes) {
  char* const memory = promise::get(bytes);
  memory[0] = memory[bytes - 1] = 1;
  promise::put(memory);
}

}  // namespace

int main() {
  for (const std::size_t mebibytes : {20, 30, 64, 100, 256, 600, 1024}) {
    touch(mebibytes * promise::kMiB);
    const long before = promise::page_faults();
    for (int i = 0; i < kRounds; ++i) touch(mebibytes * promise::kMiB);
    promise::keep(promise::page_faults() - before < kRounds / 2, "their pages are there already");
  }
}
