// SPDX-License-Identifier: MIT
// Promise: what a program frees goes back to the system though it makes no call any more, whichever
//   function it got the memory from.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=1s
// Run: malloc
// Args: malloc
// Run: calloc
// Args: calloc
// Run: realloc
// Args: realloc
// Run: aligned
// Args: aligned
// Run: wiped BUFPOOL_ZERO=free
// Args: malloc
// Run: zeroed BUFPOOL_ZERO=alloc
// Args: malloc
// Run: passes BUFPOOL_TRIMMER=on BUFPOOL_PRESSURE=off
// Args: malloc
#include <string_view>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kBuffer = 60'000;

void* get_by(std::string_view how) {
  if (how == "calloc") return calloc(1, promise::hide(kBuffer));
  if (how == "aligned") return aligned_alloc(4096, promise::hide(kBuffer / 4096 * 4096));
  if (how == "malloc") return promise::get<void>(kBuffer);
  void* memory = promise::get<void>(600);
  for (std::size_t size = 1200; size < kBuffer; size *= 2) {
    memory = realloc(promise::hide(memory), promise::hide(size));
  }
  return realloc(promise::hide(memory), promise::hide(kBuffer));
}

}  // namespace

int main(int, char** arguments) {
  static std::array<void*, 1000> held;
  const std::size_t before = promise::resident_bytes();
  for (void*& memory : held) {
    memory = get_by(arguments[1]);
    promise::keep(memory != nullptr, "there is memory");
    memset(memory, 1, kBuffer / 4096 * 4096);
  }
  promise::keep(promise::grown_since(before) > 50 * promise::kMiB, "60 MB are resident");
  for (void* memory : held) promise::put(memory);
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 4 * promise::kMiB; }),
      "and go back");
}
