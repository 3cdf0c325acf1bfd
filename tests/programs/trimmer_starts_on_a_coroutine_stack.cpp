// SPDX-License-Identifier: MIT
// Promise: the thread that gives memory back is started by a coroutine that has a page of stack,
//   too. What the loader has yet to bind needs no more of that stack.
// Needs: library
// Run: bound_late
// Run: bound_at_start LD_BIND_NOW=1
#include "tests/programs/coroutine.h"
#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kBytes = 300'000;
std::array<void*, 64> held;

void free_all() {
  for (void*& memory : held) {
    promise::put(memory);
    memory = nullptr;
  }
  for (void*& memory : held) memory = promise::get<void>(kBytes);
  for (void*& memory : held) promise::put(memory);
}

}  // namespace

int main() {
  for (void*& memory : held) memory = memset(promise::get<void>(kBytes), 1, kBytes);
  promise::keep(promise::trimmer_thread() == 0, "nothing is idle yet");
  promise::call_as_coroutine(free_all, 4096);
  promise::keep(promise::comes_true([] { return promise::trimmer_thread() != 0; }), "it started");
}
