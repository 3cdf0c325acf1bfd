// SPDX-License-Identifier: MIT
// Promise: under a limit of data, which strict overcommit is like, a program gets nearly what the
//   limit leaves. At the limit requests fail with ENOMEM, and what was freed can be had again. Once
//   the limit is raised more can be had.
#include <sys/resource.h>

#include <vector>

#include "tests/programs/promise.h"

namespace {

constexpr std::size_t kMiB = 1 << 20;
constexpr std::size_t kLimit = 200 * kMiB;

void set_limit(rlim_t bytes) {
  rlimit limit{};
  getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = bytes;
  promise::keep(setrlimit(RLIMIT_DATA, &limit) == 0, "a limit is set");
}

// Returns how many bytes of buffers of `size` there are, at most `most`.
std::size_t take_all(std::vector<void*>& held, std::size_t size, std::size_t most) {
  while (held.size() * size < most) {
    errno = 0;
    void* const memory = malloc(promise::hide(size));
    if (memory == nullptr) {
      promise::keep(errno == ENOMEM, "ENOMEM at the limit");
      break;
    }
    promise::fill(memory, 64, 3);
    held.push_back(memory);
  }
  const std::size_t got = held.size() * size;
  for (void* memory : held) {
    promise::keep(promise::holds(memory, 64, 3), "whole");
    promise::put(memory);
  }
  held.clear();
  return got;
}

}  // namespace

int main() {
  std::vector<void*> held;
  held.reserve(8 * kLimit / 65536);
  set_limit(kLimit);
  promise::use(512);
  const std::size_t got = take_all(held, 65536, 2 * kLimit);
  promise::keep(got < kLimit, "the limit holds");
  promise::keep(got >= kLimit * 3 / 4, "most of it is the program's");
  promise::keep(take_all(held, 65536, 2 * kLimit) >= got * 9 / 10, "freed memory is had again");
  promise::use(65536, 10);
  promise::use(100, 1000);  // no memory is left for it, but a buffer is
  set_limit(4 * kLimit);
  promise::keep(take_all(held, 65536, 2 * kLimit) == 2 * kLimit, "more where more is allowed");
  promise::keep(take_all(held, kMiB, 2 * kLimit) >= kLimit, "and of another size");
}
