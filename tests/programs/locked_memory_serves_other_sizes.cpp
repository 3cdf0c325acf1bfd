// SPDX-License-Identifier: MIT
// Promise: where all memory is locked and no more may be, the kernel takes no page of a freed
//   buffer back. Other sizes get its memory all the same.
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/programs/memory.h"

namespace {

std::array<void*, 4096> held;

// Allocates until there is no more. Returns how many bytes there were.
std::size_t use_up(std::size_t bytes) {
  std::size_t count = 0;
  while (count < held.size() && (held[count] = malloc(promise::hide(bytes))) != nullptr) ++count;
  promise::keep(count < held.size(), "the limit is in force");
  for (std::size_t i = 0; i < count; ++i) promise::put(held[i]);
  return count * bytes;
}

void lock_under_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  limit.rlim_cur = limit.rlim_max = std::min<rlim_t>(limit.rlim_max, 8 * promise::kMiB);
  if (limit.rlim_max < 8 * promise::kMiB) promise::skip("hardly any memory may be locked here");
  promise::keep(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "the limit is set");
  if (geteuid() == 0) promise::keep(setuid(65534) == 0, "root is not bound by it");
  if (mlockall(MCL_FUTURE) != 0) promise::skip("no memory may be locked here");
}

}  // namespace

int main() {
  promise::use(70'000, 10);
  lock_under_limit();
  const std::size_t first = use_up(40'000);
  for (const std::size_t bytes : {100'000, 12'000, 60'000, 40'000}) {
    promise::keep(use_up(bytes) >= first / 2, "most of what was freed serves another size");
  }
}
