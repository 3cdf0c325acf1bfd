// SPDX-License-Identifier: MIT
// Promise: posix_memalign returns EINVAL for an alignment that is no power of two times a pointer's
//   size, and ENOMEM for a size that cannot be had. The pointer then stays as it was.
#include <cstdint>

#include "tests/programs/promise.h"

namespace {

char mark;

void expect_refused(std::size_t alignment, std::size_t bytes, int reason) {
  void* memory = &mark;
  errno = EDOM;
  const int result = posix_memalign(&memory, promise::hide(alignment), promise::hide(bytes));
  promise::keep(result == reason, "the reason is returned");
  promise::keep(memory == &mark, "the pointer is left alone");
  promise::keep(errno == EDOM || reason != EINVAL, "errno is left alone");
}

}  // namespace

int main() {
  for (const std::size_t bytes : promise::kSizes) {
    for (const std::size_t wrong : {0UL, 1UL, 2UL, 4UL, 7UL, 12UL, 24UL, 48UL, 1000UL, 4097UL}) {
      expect_refused(wrong, bytes, EINVAL);
    }
    void* memory = nullptr;
    errno = EDOM;
    promise::keep(posix_memalign(&memory, promise::hide(8UL), bytes) == 0, "8 is accepted");
    promise::keep(memory != nullptr && errno == EDOM, "and served, errno left alone");
    promise::put(memory);
  }
  expect_refused(64, SIZE_MAX - 64, ENOMEM);
  expect_refused(4096, PTRDIFF_MAX + 1UL, ENOMEM);
  expect_refused(1UL << 62, 1UL << 62, ENOMEM);
}
