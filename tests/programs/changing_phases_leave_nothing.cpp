// SPDX-License-Identifier: MIT
// Promise: thousands of phases, each with another size than the last, leave neither address space
//   nor mappings behind.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=100ms
#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kPhase = 32 * promise::kMiB;
std::array<char*, 256> held;

// Returns one of 60 sizes from 600 B to 16 MiB, each a quarter of a doubling above the one before
// it.
std::size_t size_in(int round) {
  std::size_t bytes = 600;
  for (int i = round * 7 % 60; i > 0; --i) bytes += bytes * 19 / 100;
  return bytes;
}

void phase(int round) {
  const std::size_t bytes = size_in(round);
  const std::size_t count = std::min(held.size(), kPhase / bytes + 1);
  for (std::size_t i = 0; i < count; ++i) *(held[i] = promise::get(bytes)) = 1;
  for (std::size_t i = 0; i < count; ++i) promise::put(held[i]);
}

std::size_t mapped_bytes() {
  return promise::FileText<4096>("/proc/self/status").number("VmSize:") << 10;
}

int mappings() {
  static promise::FileText<1 << 18> maps("");
  maps = promise::FileText<1 << 18>("/proc/self/maps");
  return static_cast<int>(std::count(maps.text, maps.text + maps.length, '\n'));
}

}  // namespace

int main() {
  std::size_t most_bytes = 0;
  int most_mappings = 0;
  for (int round = 0; round < 2000; ++round) {
    phase(round);
    if (round % 100 != 0) continue;
    most_bytes = std::max(most_bytes, mapped_bytes());
    most_mappings = std::max(most_mappings, mappings());
  }
  promise::keep(most_mappings < 400, "at no time more than some mappings");
  promise::keep(most_bytes < 1500 * promise::kMiB, "nor more than once each phase");
  promise::keep(promise::comes_true([] { return mapped_bytes() < 200 * promise::kMiB; }),
                "and in the end nearly nothing");
}
