// SPDX-License-Identifier: MIT
// Promise: if the smallest class is a large one, and little address space is left, the small
//   requests of a thread do not take a large buffer each.
// Env: BUFPOOL_CLASSES=1M
// Limit: as=2G
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <atomic>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kLeft = 200 * promise::kMiB;

// Leaves too little for eight threads as mimalloc has them, and enough for this one.
void leave_little() {
  constexpr std::size_t kPage = 4096;
  rlimit limit{};
  promise::keep(getrlimit(RLIMIT_AS, &limit) == 0, "there is a limit");
  const std::size_t used = promise::FileText<256>("/proc/self/statm").number("", 10) * kPage;
  const std::size_t taken = limit.rlim_cur - used - kLeft;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const rest = mmap(nullptr, taken, PROT_NONE, kFlags, -1, 0);
  promise::keep(rest != MAP_FAILED, "the rest is taken");
}

void* work(void*) {
  static std::array<void*, 2000> held{};
  for (std::size_t i = 0; i < held.size(); ++i) {
    const std::size_t bytes = 1 + i % 500;
    held[i] = promise::get<void>(bytes);
    promise::fill(held[i], bytes, 1);
  }
  for (void* memory : held) promise::put(memory);
  return nullptr;
}

}  // namespace

int main() {
  promise::use(100, 10);
  promise::use(70'000, 2);
  leave_little();
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 128 << 10);
  pthread_t thread;
  promise::keep(pthread_create(&thread, &small, work, nullptr) == 0, "a thread is started");
  pthread_join(thread, nullptr);
}
