// SPDX-License-Identifier: MIT
// Promise: BUFPOOL_MAX_BUFFERS bounds the buffers of one class that are in use. All others are
//   served all the same, and counted.
// Env: BUFPOOL_MAX_BUFFERS=10
// Reports: 1
// Class: 64K in_use=0 gets=20 puts=20 fallbacks=180
// Class: 1M in_use=4 gets=10 puts=6 fallbacks=90
// Class: 3000 in_use=0 gets=10 fallbacks=0
#include "tests/programs/memory.h"

namespace {

std::array<void*, 100> get_all(std::size_t bytes) {
  std::array<void*, 100> held{};
  for (unsigned i = 0; i < held.size(); ++i) {
    held[i] = promise::get<void>(bytes);
    promise::fill(held[i], bytes, i);
  }
  for (unsigned i = 0; i < held.size(); ++i) {
    promise::keep(promise::holds(held[i], bytes, i), "each is its own");
  }
  return held;
}

}  // namespace

int main() {
  promise::move_to_cpu(false);  // what lies in another CPU's cache counts as in use
  for (int round = 0; round < 2; ++round) {
    for (void* memory : get_all(65'536)) promise::put(memory);
  }
  const auto held = get_all(1 << 20);
  for (unsigned i = 4; i < held.size(); ++i) promise::put(held[i]);
  promise::use(3000, 10);
}
