// SPDX-License-Identifier: MIT
// Promise: buffers that stay may be served from idle ones of twice their size. What that wastes is
//   bounded by half of what may be kept idle.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=500ms BUFPOOL_RETAIN_MAX=16M
#include "tests/programs/memory.h"

namespace {

std::array<void*, 1000> held;

void hold(std::size_t bytes) {
  for (void*& memory : held) memory = memset(promise::get<void>(bytes), 1, bytes);
}

void free_all() {
  for (void* memory : held) promise::put(memory);
}

}  // namespace

int main() {
  const std::size_t before = promise::resident_bytes();
  hold(131'072);
  free_all();
  hold(65'601);
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 90 * promise::kMiB; }),
      "64 MiB are in use, of 128");
  free_all();
}
