// SPDX-License-Identifier: MIT
// Promise: growing buffers that use little of a wide slot do not raise the budget by the whole
//   slot.
// Needs: library
// Env: BUFPOOL_REPORT=stderr BUFPOOL_REPORT_FORMAT=json BUFPOOL_PRESSURE=off BUFPOOL_REPORT_MIN=100
// Stderr: "budget_bytes": (8|9|1\d|2\d)\d{6}\b
#include <malloc.h>
#include "tests/programs/memory.h"
static std::array<void*, 200> held;
static void grow(std::size_t last) {
  for (std::size_t s = 600; s < last; s = s * 3 / 2)
    for (void*& m : held) {
      m = realloc(promise::hide(m), promise::hide(s));
      memset(m, 1, s);
    }
  for (void*& m : held) {
    promise::put(m);
    m = nullptr;
  }
}
int main() {
  void* one = nullptr;
  for (std::size_t s = 600; s < (15 << 20); s = s * 3 / 2)
    one = realloc(promise::hide(one), promise::hide(s));
  promise::put(one);
  for (int i = 0; i < 5; ++i) {
    grow(8000);
    promise::sleep_ms(1600);
  }
}
