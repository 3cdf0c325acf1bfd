// SPDX-License-Identifier: MIT
// Promise: threads that take libc's area of restartable sequences back from the kernel, as some
//   checkpointers do, get buffers of their own, and may have an area of their own. No sequence
//   that the kernel does not know of serves them.
// Modes: auto
// Reports: 1
// Class: 8K gets=120000 hits=0
#include <sys/rseq.h>
#include <sys/syscall.h>

#include <thread>
#include <vector>

#include "tests/programs/promise.h"

namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 3000;
constexpr std::size_t kBuffers = 5;

rseq* area() {
  return reinterpret_cast<rseq*>(static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset);
}

// Returns whether the kernel has forgotten the area. libc says only since 2.40 how long it is.
bool take_back() {
  for (unsigned bytes = 20; bytes <= 256; ++bytes) {
    if (syscall(SYS_rseq, area(), bytes, RSEQ_FLAG_UNREGISTER, RSEQ_SIG) == 0) return true;
  }
  return false;
}

void register_own_area() {
  alignas(32) static thread_local rseq own{};
  own.cpu_id = RSEQ_CPU_ID_UNINITIALIZED;
  promise::keep(syscall(SYS_rseq, &own, sizeof own, 0, RSEQ_SIG) == 0, "another area is taken");
}

void use_buffers(int seed) {
  std::vector<std::size_t*> held(kBuffers);
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < kBuffers; ++i) {
      held[i] = promise::get<std::size_t>(8192);
      held[i][8] = static_cast<std::size_t>(seed) * kBuffers + i;
    }
    for (std::size_t i = 0; i < kBuffers; ++i) {
      promise::keep(held[i][8] == static_cast<std::size_t>(seed) * kBuffers + i,
                    "no two threads have the same buffer");
      promise::put(held[i]);
    }
  }
}

void leave_and_go_on(int seed) {
  promise::use(4096, 100);
  promise::keep(take_back(), "the kernel takes the area back");
  use_buffers(seed);
  register_own_area();
  use_buffers(seed);
  // libc takes its own area back when the thread ends, and need not be told that it is gone.
}

}  // namespace

int main() {
  if (__rseq_size == 0) promise::skip("libc registered no restartable sequences");
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(leave_and_go_on, i);
  for (std::thread& thread : threads) thread.join();
}
