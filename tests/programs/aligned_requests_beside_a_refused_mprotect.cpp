// SPDX-License-Identifier: MIT
// Promise: a filter of system calls refuses mprotect, by which mimalloc makes its memory writable.
//   Small aligned requests are served all the same.
// Needs: library
#include <malloc.h>

#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

int main() {
  promise::use(100, 10);
  promise::answer_calls({SYS_mprotect}, SECCOMP_RET_ERRNO | EPERM);
  for (std::size_t alignment = 32; alignment <= 32'768; alignment *= 2) {
    void* memory = nullptr;
    promise::keep(posix_memalign(&memory, alignment, 100) == 0, "it is served");
    promise::keep(reinterpret_cast<std::uintptr_t>(memory) % alignment == 0, "it is aligned");
    promise::keep(malloc_usable_size(memory) >= 100, "it has room");
    promise::fill(memory, 100, 1);
    promise::put(memory);
  }
}
