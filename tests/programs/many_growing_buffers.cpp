// SPDX-License-Identifier: MIT
// Promise: thousands of buffers may grow at once, even if those before them grew very large. Only
//   what is written is resident, and all of it goes back.
// Needs: library
// Env: BUFPOOL_RETAIN_TIME=1s
#include <malloc.h>

#include "tests/programs/memory.h"

namespace {

std::array<char*, 5000> growing;

char* grown(char* memory, std::size_t from, std::size_t to, unsigned seed) {
  memory = static_cast<char*>(realloc(promise::hide(memory), promise::hide(to)));
  promise::keep(memory != nullptr && promise::holds(memory, from, seed), "contents are kept");
  promise::fill(memory, to, seed);
  return memory;
}

void grow_to(std::size_t last, std::size_t count) {
  for (unsigned i = 0; i < count; ++i) promise::fill(growing[i] = promise::get(600), 600, i);
  for (std::size_t bytes = 600; bytes < last; bytes += bytes / 2) {
    for (unsigned i = 0; i < count; ++i) {
      growing[i] = grown(growing[i], bytes, bytes + bytes / 2, i);
    }
  }
}

void free_all(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) promise::put(growing[i]);
}

}  // namespace

int main() {
  const std::size_t before = promise::resident_bytes();
  grow_to(10 * promise::kMiB, 4);
  free_all(4);
  malloc_trim(0);
  grow_to(6'000, growing.size());
  promise::keep(promise::grown_since(before) < 150 * promise::kMiB, "they hold 34 MB");
  free_all(growing.size());
  promise::keep(
      promise::comes_true([&] { return promise::grown_since(before) < 12 * promise::kMiB; }),
      "which go back");
}
