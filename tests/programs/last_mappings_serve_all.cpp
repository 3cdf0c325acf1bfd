// SPDX-License-Identifier: MIT
// Promise: in a process that has a few mappings left requests of all sizes are served, as what is
//   mapped becomes larger; afterwards, and once mappings come free, too.
// Run: one
// Args: 1
// Run: some
// Args: 20
#include <fcntl.h>
#include <sys/mman.h>

#include "tests/programs/promise.h"

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMostMappings = 100'000;
constexpr std::size_t kLargest = 120'000;
std::array<void*, 2000> held;

std::size_t allowed_mappings() {
  char text[32] = {};
  const int file = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  if (file < 0 || read(file, text, sizeof text - 1) <= 0) return 0;
  close(file);
  return strtoul(text, nullptr, 10);
}

// Every second page is of another kind, so that each is a mapping, but for the last `left`.
void use_up(char* pages, std::size_t count, std::size_t left) {
  std::size_t used = 1;
  while (used < count && mprotect(pages + used * kPage, kPage, PROT_READ) == 0) used += 2;
  if (used >= count) promise::skip("there is no end to mappings here");
  for (std::size_t i = 0; i < left; ++i) {
    used -= 2;
    promise::keep(mprotect(pages + used * kPage, kPage, PROT_NONE) == 0, "two come free");
  }
}

void ask() {
  for (std::size_t i = 0; i < held.size(); ++i) {
    const std::size_t bytes = 16 + i * 7919 % kLargest;
    held[i] = promise::get<void>(bytes);
    promise::fill(held[i], bytes < 64 ? bytes : 64, static_cast<unsigned>(i));
    if (i % 4 != 0) continue;
    held[i] = realloc(promise::hide(held[i]), promise::hide(bytes + 300));
    promise::keep(held[i] != nullptr, "realloc");
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    promise::keep(promise::holds(held[i], 16, static_cast<unsigned>(i)), "whole");
    promise::put(held[i]);
  }
}

}  // namespace

int main(int, char** arguments) {
  const std::size_t pages = 2 * allowed_mappings() + 1000;
  if (pages > 2 * kMostMappings) promise::skip("too many mappings are allowed here");
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const all = mmap(nullptr, pages * kPage, PROT_NONE, flags, -1, 0);
  promise::keep(all != MAP_FAILED, "address space");
  // The largest class is known, as most programs' is, before mappings are short.
  promise::use(kLargest + 5000);
  use_up(static_cast<char*>(all), pages, strtoul(arguments[1], nullptr, 10));
  for (int round = 0; round < 3; ++round) ask();
  promise::keep(munmap(all, pages * kPage) == 0, "mappings come free");
  ask();
}
