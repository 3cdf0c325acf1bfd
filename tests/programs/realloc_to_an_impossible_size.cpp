// SPDX-License-Identifier: MIT
// Promise: realloc and reallocarray to more than PTRDIFF_MAX bytes return NULL with ENOMEM and
//   leave the old block as it was. This holds from every size, and from a buffer that grew past all
//   classes.
#include <algorithm>
#include <cstdint>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kHeld = 1000;

void expect_refused(void* memory, std::size_t held, const char* what) {
  for (const std::size_t size : {SIZE_MAX, SIZE_MAX - 63, SIZE_MAX - 100, SIZE_MAX - 4095,
                                 SIZE_MAX - (1UL << 30), PTRDIFF_MAX + 1UL}) {
    errno = 0;
    promise::keep(realloc(promise::hide(memory), promise::hide(size)) == nullptr, what);
    promise::keep(errno == ENOMEM, what);
    errno = 0;
    promise::keep(reallocarray(promise::hide(memory), 1, promise::hide(size)) == nullptr, what);
    promise::keep(errno == ENOMEM, what);
  }
  promise::keep(promise::holds(memory, held, 3), "the old block is as it was");
}

}  // namespace

int main() {
  for (const std::size_t bytes : {1UL, 100UL, 600UL, 4096UL, 65'536UL, 16UL << 20}) {
    void* memory = promise::get<void>(bytes);
    const std::size_t held = std::min(bytes, kHeld);
    promise::fill(memory, held, 3);
    expect_refused(memory, held, "as malloc gave it");
    memory = realloc(memory, promise::hide(bytes + bytes / 2));
    expect_refused(memory, held, "grown");
    promise::put(memory);
  }
  void* memory = promise::get<void>(12 * promise::kMiB);
  promise::fill(memory, kHeld, 3);
  for (const std::size_t mib : {20, 40, 100}) {
    memory = realloc(memory, promise::hide(mib * promise::kMiB));
    expect_refused(memory, kHeld, "grown past all classes");
  }
  promise::put(memory);
}
