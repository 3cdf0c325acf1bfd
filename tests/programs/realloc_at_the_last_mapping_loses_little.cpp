// SPDX-License-Identifier: MIT
// Promise: in a process that has next to no mappings left a large buffer still grows by realloc and
//   keeps its contents, and what it left is used again: rounds of that do not add up.
// Run: none
// Args: 0
// Run: one
// Args: 1
// Run: two
// Args: 2
#include <fcntl.h>
#include <sys/mman.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMostMappings = 100'000;
constexpr std::size_t kSmall = 30 * promise::kMiB;
constexpr std::size_t kLarge = 100 * promise::kMiB;

std::size_t allowed_mappings() {
  char text[32] = {};
  const int file = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  if (file < 0 || read(file, text, sizeof text - 1) <= 0) return 0;
  close(file);
  return strtoul(text, nullptr, 10);
}

void grow_once(unsigned seed) {
  char* memory = promise::get(kSmall);
  promise::fill(memory, kSmall, seed);
  memory = static_cast<char*>(realloc(promise::hide(memory), promise::hide(kLarge)));
  promise::keep(memory != nullptr, "it grows");
  promise::keep(promise::holds(memory, kSmall, seed), "its contents are whole");
  promise::fill(memory, kLarge, seed + 1);
  promise::put(memory);
}

std::size_t mapped_bytes() {
  char text[32] = {};
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  promise::keep(file >= 0 && read(file, text, sizeof text - 1) > 0, "statm is there");
  close(file);
  return strtoul(text, nullptr, 10) * kPage;
}

}  // namespace

int main(int, char** arguments) {
  const std::size_t pages = 2 * allowed_mappings() + 1000;
  if (pages > 2 * kMostMappings) promise::skip("too many mappings are allowed here");
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const all = mmap(nullptr, pages * kPage, PROT_NONE, flags, -1, 0);
  promise::keep(all != MAP_FAILED, "address space");
  for (unsigned i = 0; i < 2; ++i) grow_once(i);
  char* const first = static_cast<char*>(all);
  std::size_t used = 1;
  while (used < pages && mprotect(first + used * kPage, kPage, PROT_READ) == 0) used += 2;
  if (used >= pages) promise::skip("there is no end to mappings here");
  for (unsigned long left = strtoul(arguments[1], nullptr, 10); left > 0; --left) {
    used -= 2;
    promise::keep(mprotect(first + used * kPage, kPage, PROT_NONE) == 0, "two come free");
  }
  const std::size_t before = mapped_bytes();
  for (unsigned i = 0; i < 6; ++i) grow_once(i);
  // One block may be lost before the pool knows.
  promise::keep(mapped_bytes() < before + 5 * kLarge / 2, "rounds do not add up");
}
