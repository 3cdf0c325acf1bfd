// SPDX-License-Identifier: MIT
// Promise: a request that no process can have is refused with ENOMEM at once, from every entry.
//   Memory that is kept for small requests stays where it is, and no new page is touched.
#include <malloc.h>
#include <cstdint>

#include "tests/programs/promise.h"

namespace {

constexpr int kRounds = 500;

void expect_none(const void* memory, const char* what) {
  promise::keep(memory == nullptr && errno == ENOMEM, what);
  errno = 0;
}

void ask_for(std::size_t bytes) {
  errno = 0;
  expect_none(malloc(promise::hide(bytes)), "malloc");
  expect_none(calloc(1, promise::hide(bytes)), "calloc");
  void* const old = promise::get<void>(16);
  expect_none(realloc(promise::hide(old), promise::hide(bytes)), "realloc");
  expect_none(reallocarray(promise::hide(old), 2, promise::hide(bytes / 2)), "reallocarray");
  promise::put(old);
  expect_none(memalign(8, promise::hide(bytes)), "memalign 8");
  expect_none(memalign(4096, promise::hide(bytes)), "memalign 4096");
  expect_none(aligned_alloc(promise::hide(std::size_t{1} << 40), promise::hide(bytes)),
              "aligned_alloc");
  expect_none(valloc(promise::hide(bytes)), "valloc");
  expect_none(pvalloc(promise::hide(bytes)), "pvalloc");
  void* memory = nullptr;
  promise::keep(posix_memalign(&memory, 64, promise::hide(bytes)) == ENOMEM, "posix_memalign");
  expect_none(memory, "posix_memalign says so in errno, as glibc's does");
}

void expect_few_faults(std::size_t bytes) {
  ask_for(bytes);
  const long before = promise::page_faults();
  for (int i = 0; i < kRounds; ++i) {
    ask_for(bytes);
    promise::use(16);
  }
  promise::keep(promise::page_faults() - before < kRounds / 2,
                "small requests find their pages there");
}

}  // namespace

int main() {
  promise::use(16);
  for (const std::size_t bytes : {std::size_t{1} << 50, std::size_t{1} << 55, SIZE_MAX / 4}) {
    expect_few_faults(bytes);
  }
  expect_none(memalign(promise::hide(std::size_t{1} << 62), 100), "an impossible alignment");
  expect_none(memalign(promise::hide(std::size_t{1} << 63), 100), "the largest alignment");
}
