// SPDX-License-Identifier: MIT
// Promise: a coroutine with three and a half KiB of stack may get, grow and free buffers, also
//   where these calls give idle memory back themselves.
// Env: LD_BIND_NOW=1
// Run: by_itself
// Run: in_calls BUFPOOL_TRIMMER=off BUFPOOL_RETAIN_TIME=1s
#include <sys/mman.h>
#include <ucontext.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kStack = 3584;
std::array<char*, 900> held;
ucontext_t main_context;
ucontext_t coroutine;

// Leaves some buffers of each span in use, so that their pages go back one by one.
void get_and_free() {
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < held.size(); ++i) {
      const std::size_t bytes = 20'000 + i % 3 * 40'000;
      held[i] = static_cast<char*>(memset(promise::get<void>(bytes), 1, bytes));
    }
    for (std::size_t i = 0; i < held.size(); ++i) {
      if (i % 10 != 0) promise::put(held[i]);
    }
    promise::sleep_ms(400);  // a pass is due
    promise::use(300'000, 50);
    void* grown = nullptr;
    for (std::size_t bytes = 1000; bytes < 4 * promise::kMiB; bytes += bytes / 2) {
      grown = realloc(promise::hide(grown), promise::hide(bytes));
    }
    promise::put(grown);
    for (std::size_t i = 0; i < held.size(); i += 10) promise::put(held[i]);
  }
}

}  // namespace

int main() {
  promise::use(20);
  // The stack's lowest byte follows a page that nothing may touch.
  void* const pages =
      mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  promise::keep(pages != MAP_FAILED && mprotect(pages, kPage, PROT_NONE) == 0, "there are pages");
  getcontext(&coroutine);
  coroutine.uc_stack.ss_sp = static_cast<char*>(pages) + kPage;
  coroutine.uc_stack.ss_size = kStack;
  coroutine.uc_link = &main_context;
  makecontext(&coroutine, get_and_free, 0);
  promise::keep(swapcontext(&main_context, &coroutine) == 0, "it comes to its end");
}
