// SPDX-License-Identifier: MIT
// Promise: a filter of system calls answers madvise with success, and the kernel never sees the
//   call. calloc still hands out zeros.
// Env: BUFPOOL_TRIMMER=off
#include <malloc.h>

#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

int main() {
  promise::answer_calls({SYS_madvise}, SECCOMP_RET_ERRNO);
  for (const std::size_t bytes : {4096UL, 65'536UL, 300'000UL, 5'000'000UL}) {
    for (int i = 0; i < 4; ++i) {
      std::array<void*, 16> held{};
      for (void*& memory : held) {
        memory = calloc(1, promise::hide(bytes));
        promise::keep(memory != nullptr && promise::is_zero(memory, bytes), "zero");
        memset(memory, 0xee, bytes);
      }
      for (void* memory : held) promise::put(memory);
      malloc_trim(0);
    }
  }
}
