// SPDX-License-Identifier: MIT
// Promise: static destructors, atexit functions and the last destructor functions of a program may
//   free and allocate, after the library's own work at exit is done.
// Env: -BUFPOOL_REPORT BUFPOOL_REPORT_MIN=1
// Stderr-not: not kept
#include "tests/programs/promise.h"

namespace {

void* kept;

void free_and_allocate() {
  for (const std::size_t bytes : promise::kSizes) promise::use(bytes, 3);
  void* next = promise::get<void>(70000);
  promise::keep(promise::holds(kept, 70000, 1), "memory is whole at exit");
  promise::put(kept);
  promise::fill(next, 70000, 1);
  kept = next;
}

[[gnu::constructor(101)]] void first() {
  kept = promise::get<void>(70000);
  promise::fill(kept, 70000, 1);
}

[[gnu::destructor(101)]] void last() { free_and_allocate(); }

void finish(int, char**, char**) { free_and_allocate(); }
[[gnu::used, gnu::section(".fini_array")]] void (*const kFinish)(int, char**, char**) = finish;

struct Static {
  ~Static() { free_and_allocate(); }
} object;

}  // namespace

int main() {
  atexit(free_and_allocate);
  free_and_allocate();
}
