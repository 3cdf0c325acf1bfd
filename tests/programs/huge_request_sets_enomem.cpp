// SPDX-License-Identifier: MIT
// Promise: a request that no machine can serve returns NULL with ENOMEM from every entry.
#include <malloc.h>

#include <cstdint>

#include "tests/programs/promise.h"

namespace {

void expect_none(const void* memory, const char* what) {
  promise::keep(memory == nullptr, what);
  promise::keep(errno == ENOMEM, what);
  errno = 0;
}

}  // namespace

int main() {
  void* old = promise::get<void>(70000);
  promise::fill(old, 70000, 5);
  errno = 0;
  for (const std::size_t bytes : {PTRDIFF_MAX + 1UL, PTRDIFF_MAX + 4096UL, SIZE_MAX - 4096,
                                  SIZE_MAX - 64, SIZE_MAX - 15, SIZE_MAX - 1, SIZE_MAX}) {
    expect_none(malloc(promise::hide(bytes)), "malloc");
    expect_none(calloc(1, promise::hide(bytes)), "calloc");
    expect_none(realloc(nullptr, promise::hide(bytes)), "realloc of NULL");
    expect_none(realloc(old, promise::hide(bytes)), "realloc");
    expect_none(memalign(8, promise::hide(bytes)), "memalign 8");
    expect_none(memalign(4096, promise::hide(bytes)), "memalign 4096");
    expect_none(aligned_alloc(64, promise::hide(bytes)), "aligned_alloc");
    expect_none(valloc(promise::hide(bytes)), "valloc");
    expect_none(pvalloc(promise::hide(bytes)), "pvalloc");
  }
  promise::keep(promise::holds(old, 70000, 5), "a failed realloc keeps the old block");
  promise::put(old);
}
