// SPDX-License-Identifier: MIT
// Promise: a program whose madvise, membarrier and the like are refused with EPERM goes on with any
//   size. This also holds if its memory can no longer be made writable piece by piece.
// Run: advice
// Args: advice
// Run: protection
// Args: protection
#include <malloc.h>

#include <string_view>

#include "tests/programs/seccomp.h"

int main(int, char** arguments) {
  constexpr unsigned kRefuse = SECCOMP_RET_ERRNO | EPERM;
  promise::use(70000, 10);
  promise::answer_calls({SYS_madvise, SYS_membarrier, SYS_rseq, SYS_getcpu, SYS_sched_getaffinity,
                         SYS_clone3, SYS_memfd_create, SYS_mbind},
                        kRefuse);
  if (std::string_view(arguments[1]) == "protection")
    promise::answer_calls({SYS_mprotect}, kRefuse);
  for (int round = 0; round < 20; ++round) {
    for (const std::size_t bytes : promise::sizes_in(round)) {
      void* memory = promise::get<void>(bytes);
      memset(memory, 0xa5, bytes);
      promise::put(memory);
      memory = calloc(1, promise::hide(bytes));
      promise::keep(memory != nullptr && promise::is_zero(memory, bytes), "calloc is zero");
      promise::put(memory);
    }
    malloc_trim(0);
  }
}
