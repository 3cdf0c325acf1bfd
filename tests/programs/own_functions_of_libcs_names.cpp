// SPDX-License-Identifier: MIT
// Promise: a program may have functions of its own by names of libc that ISO C leaves to programs.
//   The library calls none of them, whether it serves requests, gives memory back or reports.
// Env: BUFPOOL_STATS=on BUFPOOL_RETAIN_MAX=1M BUFPOOL_WARMUP=8K:10
// Reports: 1
// Class: 1M gets=320
#include <malloc.h>

#include "tests/programs/promise.h"

// libc has the names, so the linker shows these functions to all libraries.
#define OWN(name)                          \
  extern "C" void own_##name() asm(#name); \
  extern "C" void own_##name() { promise::keep(false, "no call of " #name); }
OWN(fcntl)
OWN(fstat)
OWN(fstatfs)
OWN(getauxval)
OWN(getcwd)
OWN(geteuid)
OWN(getpid)
OWN(getppid)
OWN(getrlimit)
OWN(mincore)
OWN(mremap)
OWN(poll)
OWN(pthread_sigmask)
OWN(sched_getaffinity)
OWN(send)
OWN(sigaddset)
OWN(sigdelset)
OWN(sigemptyset)
OWN(sigfillset)
OWN(sigismember)
OWN(sigpending)
OWN(sigtimedwait)
OWN(stat)
OWN(statx)
OWN(write)

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// A large buffer grows by its pages, and one that is used again is looked at.
void use_large_buffers() {
  char* memory = promise::get(2 * kMiB);
  promise::fill(memory, 2 * kMiB, 1);
  for (std::size_t bytes = 3 * kMiB; bytes < 100 * kMiB; bytes += bytes / 2) {
    memory = static_cast<char*>(realloc(memory, promise::hide(bytes)));
    promise::keep(memory != nullptr && promise::holds(memory, 2 * kMiB, 1), "contents are kept");
  }
  promise::put(memory);
  for (int i = 0; i < 3; ++i) {
    auto* const zeros = static_cast<char*>(calloc(promise::hide(50 * kMiB), 1));
    promise::keep(zeros != nullptr && zeros[0] == 0, "zero");
    memset(zeros, 1, kMiB);
    promise::put(zeros);
  }
}

}  // namespace

int main() {
  void* held[80];
  for (int round = 0; round < 4; ++round) {
    for (void*& memory : held) memory = promise::get<void>(kMiB);
    for (void* const memory : held) promise::fill(memory, 8192, 1);
    for (void* const memory : held) promise::put(memory);
    use_large_buffers();
    malloc_trim(0);
  }
}
