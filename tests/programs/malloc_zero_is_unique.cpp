// SPDX-License-Identifier: MIT
// Promise: a request of 0 bytes gets a pointer of its own from every entry, as in glibc.
#include <malloc.h>

#include <algorithm>

#include "tests/programs/promise.h"

int main() {
  std::array<void*, 7> many = {promise::get<void>(0),
                               promise::get<void>(0),
                               calloc(promise::hide(0UL), 8),
                               calloc(8, promise::hide(0UL)),
                               realloc(nullptr, promise::hide(0UL)),
                               memalign(64, promise::hide(0UL)),
                               operator new(promise::hide(0UL))};
  std::sort(many.begin(), many.end());
  promise::keep(many[0] != nullptr, "a request of nothing gets a pointer");
  promise::keep(std::adjacent_find(many.begin(), many.end()) == many.end(), "no two are equal");
  for (void* one : many) promise::put(one);
}
