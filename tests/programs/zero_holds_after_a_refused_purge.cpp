// SPDX-License-Identifier: MIT
// Promise: the program has locked a page of its idle buffers, and the kernel gave back only some of
//   their pages. calloc still hands out zeros, and realloc keeps contents whole.
// Needs: library
// Env: BUFPOOL_TRIMMER=off
// Run: plain
// Run: wiped BUFPOOL_ZERO=free
#include <malloc.h>
#include <sys/mman.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kHeld = 8;

void dirty_some(std::size_t bytes, std::size_t locked_at) {
  std::array<char*, kHeld> held{};
  for (char*& memory : held) memory = static_cast<char*>(memset(promise::get(bytes), 0xee, bytes));
  // The library does not know of this lock. Otherwise the buffer would get fresh pages when it is
  // freed.
  if (syscall(SYS_mlock, held[kHeld / 2] + locked_at, 1) != 0) {
    promise::skip("no memory can be locked here");
  }
  for (char* memory : held) promise::put(memory);
}

void expect_zeros(std::size_t bytes) {
  std::array<void*, 2 * kHeld> held{};
  for (void*& memory : held) {
    memory = calloc(1, promise::hide(bytes));
    promise::keep(memory != nullptr && promise::is_zero(memory, bytes), "zero");
  }
  for (void* memory : held) promise::put(memory);
}

}  // namespace

int main() {
  for (const std::size_t bytes :
       {4096UL, 20'000UL, 65'536UL, 300'000UL, promise::kMiB, 5'000'000UL}) {
    for (const std::size_t part : {0UL, bytes / 2, bytes - 1}) {
      dirty_some(bytes, part);
      malloc_trim(0);
      expect_zeros(bytes);
    }
  }
  munlockall();
}
