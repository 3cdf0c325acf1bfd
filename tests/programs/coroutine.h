// SPDX-License-Identifier: MIT
// Runs a function as a coroutine with little stack.
#pragma once

#include <sys/mman.h>
#include <ucontext.h>

#include "tests/programs/promise.h"

namespace promise {

// Calls work() on a stack of `bytes` bytes, a page at most, and returns when that does. The stack's
// lowest byte follows a page that nothing may touch.
inline void call_as_coroutine(void (*work)(), std::size_t bytes) {
  constexpr std::size_t kPage = 4096;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS;
  void* const pages = mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, kFlags, -1, 0);
  keep(pages != MAP_FAILED && mprotect(pages, kPage, PROT_NONE) == 0, "there are pages");
  ucontext_t here;
  ucontext_t coroutine;
  getcontext(&coroutine);
  coroutine.uc_stack.ss_sp = static_cast<char*>(pages) + kPage;
  coroutine.uc_stack.ss_size = bytes;
  coroutine.uc_link = &here;
  makecontext(&coroutine, work, 0);
  keep(swapcontext(&here, &coroutine) == 0, "the coroutine comes to its end");
}

}  // namespace promise
