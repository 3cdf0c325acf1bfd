// SPDX-License-Identifier: MIT
// Promise: a buffer that grows by half from 600 bytes to 40 MiB keeps its contents, tells a usable
//   size that fits what was asked for, and may shrink all the way back.
// Needs: library
#include <malloc.h>

#include "tests/programs/memory.h"

namespace {

void* resized(void* memory, std::size_t from, std::size_t to) {
  memory = realloc(promise::hide(memory), promise::hide(to));
  promise::keep(memory != nullptr, "there is memory");
  promise::keep(promise::holds(memory, std::min(from, to), 1), "contents are kept");
  const std::size_t usable = malloc_usable_size(memory);
  promise::keep(usable >= to, "all that was asked for may be used");
  if (to > from) promise::keep(usable <= 2 * (to + to / 4 + 64), "and not much more is told");
  promise::fill(memory, to, 1);
  return memory;
}

}  // namespace

int main() {
  for (int round = 0; round < 2; ++round) {
    std::size_t bytes = 600;
    void* memory = promise::get<void>(bytes);
    promise::fill(memory, bytes, 1);
    for (; bytes < 40 * promise::kMiB; bytes += bytes / 2) {
      memory = resized(memory, bytes, bytes + bytes / 2);
    }
    for (; bytes > 600; bytes = bytes / 3 * 2) memory = resized(memory, bytes, bytes / 3 * 2);
    promise::put(memory);
  }
}
