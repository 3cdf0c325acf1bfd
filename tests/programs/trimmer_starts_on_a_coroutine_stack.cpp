// SPDX-License-Identifier: MIT
// Promise: the thread that gives memory back is started by a coroutine that has a page of stack,
//   too. What the loader has yet to bind needs no more of that stack.
// Needs: library
// Run: bound_late
// Run: bound_at_start LD_BIND_NOW=1
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kBytes = 300'000;
std::array<void*, 64> held;
ucontext_t main_context;
ucontext_t coroutine;

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
  // The stack's lowest byte follows a page that nothing may touch.
  void* const pages =
      mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  promise::keep(pages != MAP_FAILED && mprotect(pages, kPage, PROT_NONE) == 0, "there are pages");
  getcontext(&coroutine);
  coroutine.uc_stack.ss_sp = static_cast<char*>(pages) + kPage;
  coroutine.uc_stack.ss_size = kPage;
  coroutine.uc_link = &main_context;
  makecontext(&coroutine, free_all, 0);
  promise::keep(swapcontext(&main_context, &coroutine) == 0, "it comes to its end");
  promise::keep(promise::comes_true([] { return promise::trimmer_thread() != 0; }), "it started");
}
