// SPDX-License-Identifier: MIT
// Promise: a filter of system calls refuses mprotect, by which mimalloc makes its memory writable.
//   Small requests are served all the same, in threads that exist and in new ones, and address
//   space does not run away. What buffers hold stays.
// Needs: library
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <thread>
#include <vector>

#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

namespace {

constexpr std::size_t kSizes[] = {16, 48, 100, 200, 400, 511};

void use_small(unsigned seed) {
  std::vector<std::pair<void*, std::size_t>> held;
  for (unsigned i = 0; i < 20'000; ++i) {
    const std::size_t size = kSizes[i % std::size(kSizes)];
    void* const memory = promise::get<void>(size);
    promise::keep(memory != nullptr, "it is served");
    promise::fill(memory, size, seed + i);
    held.emplace_back(memory, size);
  }
  for (unsigned i = 0; i < held.size(); ++i) {
    promise::keep(promise::holds(held[i].first, held[i].second, seed + i), "contents stay");
    promise::put(held[i].first);
  }
}

}  // namespace

int main() {
  // mimalloc has a segment for this thread when the filter comes, of which less than half is free.
  // It comes back to that one before it uses the next.
  std::thread([] {
    std::vector<void*> held(40'000);
    for (void*& memory : held) memory = promise::get<void>(500);
    promise::answer_calls({SYS_mprotect}, SECCOMP_RET_ERRNO | EPERM);
    for (unsigned i = 0; i < 3; ++i) use_small(i);
    for (void* const memory : held) promise::put(memory);
  }).join();
  promise::answer_calls({SYS_mprotect}, SECCOMP_RET_ERRNO | EPERM);
  for (unsigned i = 0; i < 3; ++i) std::thread([i] { use_small(i); }).join();
  use_small(9);
  promise::keep(promise::FileText<256>("/proc/self/statm").number("", 10) < (4UL << 30) / 4096,
                "address space does not run away");
}
