// SPDX-License-Identifier: MIT
// Promise: a program that locks each of its large buffers, and frees it while it is locked, meets
//   no limit. Freed memory is not locked any more, except for pages that a buffer shares with its
//   neighbours.
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kLimit = 4 * promise::kMiB;

void set_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  if (limit.rlim_max < kLimit) promise::skip("hardly any memory may be locked here");
  limit.rlim_cur = limit.rlim_max = kLimit;
  promise::keep(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "the limit is set");
  if (geteuid() == 0) promise::keep(setuid(65534) == 0, "root is not bound by it");
}

std::size_t locked_bytes() {
  return promise::FileText<4096>("/proc/thread-self/status").number("VmLck:") * 1024;
}

void lock_and_free(std::size_t bytes) {
  void* const memory = promise::get<void>(bytes);
  promise::keep(mlock(memory, bytes) == 0, "there is room below the limit");
  promise::put(memset(memory, 1, bytes));
}

}  // namespace

int main() {
  set_limit();
  for (std::size_t i = 0; i < 100; ++i) lock_and_free(promise::kMiB + i * 10'000);
  promise::keep(locked_bytes() <= 200 * 4096, "at most two pages of each are locked");
  const std::size_t before = locked_bytes();
  void* held = promise::get<void>(8 * promise::kMiB);
  for (std::size_t at : {std::size_t{0}, 3 * promise::kMiB, 8 * promise::kMiB - 1}) {
    promise::keep(mlock(static_cast<char*>(held) + at, 1) == 0, "a page can be locked");
  }
  promise::keep(locked_bytes() > before, "it is");
  promise::put(held);
  promise::keep(locked_bytes() == before, "none of a buffer with pages of its own stays locked");
}
