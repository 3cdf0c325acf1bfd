// SPDX-License-Identifier: MIT
// Promise: the very first request of a program leaves errno as it is, whatever its size.
// Run: small
// Args: 100
// Run: pooled
// Args: 5000
// Run: passed_on
// Args: 20000000
// Run: passed_on_aligned
// Args: 20000000 4096
#include <malloc.h>

#include "tests/programs/promise.h"

int main(int count, char** arguments) {
  const auto bytes = static_cast<std::size_t>(atol(arguments[1]));
  errno = EDOM;
  const void* memory = count > 2 ? memalign(4096, bytes) : calloc(1, bytes);
  promise::keep(memory != nullptr && errno == EDOM, "errno is as it was");
}
