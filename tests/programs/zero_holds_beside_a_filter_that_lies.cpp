// SPDX-License-Identifier: MIT
// Promise: a filter of system calls answers madvise with success, and the kernel never sees the
//   call. calloc still hands out zeros.
// Env: BUFPOOL_TRIMMER=off BUFPOOL_RETAIN_MAX=8M
#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

namespace {

std::array<char*, 1000> held;
unsigned state = 1;

std::size_t random_below(std::size_t end) {
  state = state * 1103515245 + 12345;
  return (state >> 8) % end;
}

void change(char*& memory) {
  if (memory != nullptr) {
    promise::put(memory);
    memory = nullptr;
    return;
  }
  const std::size_t bytes = 512 + random_below(random_below(8) == 0 ? promise::kMiB : 60'000);
  memory = static_cast<char*>(calloc(1, promise::hide(bytes)));
  promise::keep(memory != nullptr && promise::is_zero(memory, bytes), "zero");
  memset(memory, 0xee, bytes);
}

}  // namespace

int main() {
  promise::answer_calls({SYS_madvise}, SECCOMP_RET_ERRNO);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 3000; ++i) change(held[random_below(held.size())]);
    for (char*& memory : held) {
      if (memory != nullptr) change(memory);
    }
  }
}
