// SPDX-License-Identifier: MIT
// Promise: a request that is served leaves errno as it is. This holds for the first of a size, too.
#include <malloc.h>

#include "tests/programs/promise.h"

int main() {
  errno = EDOM;
  for (const std::size_t bytes : promise::kSizes) {
    void* memory = malloc(promise::hide(bytes));
    promise::keep(memory != nullptr && errno == EDOM, "malloc");
    memory = realloc(memory, promise::hide(bytes * 2));
    promise::keep(memory != nullptr && errno == EDOM, "realloc");
    promise::put(memory);
    memory = calloc(2, promise::hide(bytes));
    promise::keep(memory != nullptr && errno == EDOM, "calloc");
    promise::put(memory);
    memory = memalign(256, promise::hide(bytes));
    promise::keep(memory != nullptr && errno == EDOM, "memalign");
    promise::put(memory);
    operator delete(operator new(promise::hide(bytes)));
    promise::keep(errno == EDOM, "operator new");
  }
}
