// SPDX-License-Identifier: MIT
// Promise: a program keeps some buffers of each of several phases, one size each. They hold no more
//   pages than they lie on.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=500ms
#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kPhase = 64 * promise::kMiB;
std::array<void*, kPhase / 1024> held;
unsigned random_number = 1;

// One of 16 stays, chosen at random.
void phase(std::size_t bytes) {
  const std::size_t count = kPhase / bytes;
  for (std::size_t i = 0; i < count; ++i) held[i] = memset(promise::get<void>(bytes), 1, bytes);
  for (std::size_t i = 0; i < count; ++i) {
    random_number = random_number * 1103515245 + 12345;
    if ((random_number >> 16) % 16 != 0) promise::put(held[i]);
  }
}

}  // namespace

int main() {
  const std::size_t before = promise::resident_bytes();
  for (const std::size_t bytes : {4096, 1024, 8192}) phase(bytes);
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 56 * promise::kMiB; }),
      "of 192 MiB, 12 in use on 34 of pages, 136 go back");
}
