// SPDX-License-Identifier: MIT
// Promise: any function of the family may be the first that is called, before any constructor has
//   run. It works, and memory from then stays good.
// Run: free
// Args: free
// Run: calloc
// Args: calloc
// Run: realloc
// Args: realloc
// Run: memalign
// Args: memalign
// Run: usable
// Args: usable
// Run: trim
// Args: trim
// Run: new
// Args: new
// Run: delete
// Args: delete
#include <malloc.h>

#include <string_view>

#include "tests/programs/promise.h"

namespace {

void* early;

void call_first(std::string_view name) {
  if (name == "free") promise::put(nullptr);
  if (name == "calloc") early = calloc(promise::hide(9UL), 7000);
  if (name == "realloc") early = realloc(nullptr, promise::hide(63000UL));
  if (name == "memalign") early = memalign(4096, promise::hide(63000UL));
  if (name == "usable") promise::keep(malloc_usable_size(early) == 0, "nothing of NULL");
  if (name == "trim") malloc_trim(0);
  if (name == "new") early = operator new(promise::hide(63000UL));
  if (name == "delete") operator delete(promise::hide<void*>(nullptr));
}

void before_constructors(int, char** arguments, char**) {
  call_first(arguments[1]);
  if (early == nullptr) early = promise::get<void>(63000);
  promise::fill(early, 63000, 9);
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes);
}

[[gnu::used, gnu::section(".preinit_array")]] void (*const kEarliest)(int, char**,
                                                                      char**) = before_constructors;

}  // namespace

int main() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes);
  promise::keep(promise::holds(early, 63000, 9), "early memory is whole");
  promise::put(early);
}
