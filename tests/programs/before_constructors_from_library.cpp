// SPDX-License-Identifier: MIT
// Promise: a library that is preloaded behind this one, whose constructor runs first, may allocate
//   there. So may a library that is preloaded before it.
// Run: behind
// Preload-after: early_library
// Run: before
// Preload-before: early_library
#include <dlfcn.h>

#include "tests/programs/promise.h"

int main() {
  auto* early = reinterpret_cast<void** (*)()>(dlsym(RTLD_DEFAULT, "early_buffers"));
  promise::keep(early != nullptr, "the library is preloaded");
  for (unsigned i = 0; i < promise::kSizes.size(); ++i) {
    void* memory = early()[i];
    promise::keep(promise::holds(memory, promise::kSizes[i], i), "its memory is whole");
    promise::put(memory);
    promise::use(promise::kSizes[i]);
  }
}
