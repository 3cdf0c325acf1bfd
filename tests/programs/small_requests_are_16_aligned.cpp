// SPDX-License-Identifier: MIT
// Promise: every request, also the smallest, is aligned to 16 bytes, as in glibc and as compilers
//   rely on for max_align_t.
#include "tests/programs/promise.h"

int main() {
  for (std::size_t bytes = 0; bytes <= 2048; ++bytes) {
    void* many[5] = {promise::get<void>(bytes), calloc(1, promise::hide(bytes)),
                     realloc(nullptr, promise::hide(bytes)), operator new(promise::hide(bytes)),
                     promise::get<void>(bytes)};
    for (void* memory : many) {
      promise::keep(promise::is_aligned(memory, 16), "aligned to 16");
    }
    operator delete(many[3]);
    for (const int i : {0, 1, 2, 4}) promise::put(many[i]);
  }
}
