// SPDX-License-Identifier: MIT
// Promise: under a limit of the address space, small requests get the space of large buffers that
//   the program has freed.
// Limit: as=322M
#include <sys/mman.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kMost = 12'000'000;

// Allocates until there is no more, or up to `most` bytes. Returns the bytes that there were.
std::size_t use_up(std::size_t bytes, std::size_t most) {
  static void** held = nullptr;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (held == nullptr) {
    void* const list = mmap(nullptr, kMost * sizeof(void*), PROT_READ | PROT_WRITE, kFlags, -1, 0);
    promise::keep(list != MAP_FAILED, "there is a list");
    held = static_cast<void**>(list);
  }
  std::size_t count = 0;
  int failures = 0;
  while (count < most / bytes && failures < 10) {
    void* const memory = malloc(promise::hide(bytes));
    if (memory == nullptr) ++failures;
    if (memory != nullptr) held[count++] = memset(memory, 1, std::min<std::size_t>(bytes, 4096));
  }
  for (std::size_t i = 0; i < count; ++i) promise::put(held[i]);
  return count * bytes;
}

}  // namespace

int main() {
  promise::keep(use_up(1'000'000, 181 * promise::kMiB) > 170 * promise::kMiB, "large buffers");
  promise::keep(use_up(100, 400 * promise::kMiB) > 100 * promise::kMiB, "small ones");
}
