// SPDX-License-Identifier: MIT
// Promise: a buffer that grows step by step, as a string does, keeps its contents all the way. So
//   do two that grow in turns, and one that shrinks again.
#include "tests/programs/promise.h"

int main() {
  std::array<void*, 2> growing = {promise::get<void>(100), promise::get<void>(100)};
  for (const unsigned i : {0U, 1U}) promise::fill(growing[i], 100, i);
  std::size_t bytes = 100;
  while (bytes < (20 << 20)) {
    const std::size_t next = bytes + bytes / 2;
    for (const unsigned i : {0U, 1U}) {
      growing[i] = realloc(promise::hide(growing[i]), promise::hide(next));
      promise::keep(growing[i] != nullptr && promise::holds(growing[i], bytes, i), "kept");
      promise::fill(growing[i], next, i);
    }
    bytes = next;
  }
  for (; bytes > 100; bytes = bytes * 2 / 3) {
    growing[0] = realloc(promise::hide(growing[0]), promise::hide(bytes));
    promise::keep(growing[0] != nullptr && promise::holds(growing[0], bytes, 0), "kept");
  }
  promise::put(growing[0]);
  promise::put(growing[1]);
}
