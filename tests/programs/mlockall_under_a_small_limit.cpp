// SPDX-License-Identifier: MIT
// Promise: a program without privilege locks all that is and will be mapped under a limit of 160
//   MiB, and goes on within it. If it may not have so much, it locks all that will be mapped, under
//   what it may have. A request beyond the limit fails with ENOMEM.
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/programs/memory.h"

namespace {

// The kernel refuses MCL_CURRENT if more is mapped than may be locked.
int lock_under_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  const bool enough = limit.rlim_max >= 160 * promise::kMiB;
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, 160 * promise::kMiB);
  limit.rlim_cur = limit.rlim_max;
  if (limit.rlim_max < 8 * promise::kMiB) promise::skip("hardly any memory may be locked here");
  promise::keep(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "the limit is set");
  if (geteuid() == 0) promise::keep(setuid(65534) == 0, "root is not bound by it");
  return mlockall(enough ? MCL_CURRENT | MCL_FUTURE : MCL_FUTURE);
}

}  // namespace

int main() {
  promise::use(70'000, 10);
  promise::keep(lock_under_limit() == 0, "it is locked");
  for (const std::size_t bytes : promise::kSizes) {
    if (bytes <= promise::kMiB) promise::use(bytes, 20);
  }
  std::array<void*, 40> held{};
  for (void*& memory : held) memory = memset(promise::get<void>(65'536), 1, 65'536);
  errno = 0;
  promise::keep(malloc(promise::hide(200 * promise::kMiB)) == nullptr, "there is not so much");
  promise::keep(errno == ENOMEM, "ENOMEM");
  for (void* memory : held) promise::put(memory);
  promise::use(5000, 10);
}
