// SPDX-License-Identifier: MIT
// Promise: in a process that has used up its mappings requests are served or fail with ENOMEM, and
//   free works; once mappings come free, all are served.
#include <fcntl.h>
#include <sys/mman.h>

#include "tests/programs/promise.h"

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMostMappings = 100'000;
std::array<void*, 500> held;

std::size_t allowed_mappings() {
  char text[32] = {};
  const int file = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  if (file < 0 || read(file, text, sizeof text - 1) <= 0) return 0;
  close(file);
  return strtoul(text, nullptr, 10);
}

// Every second page is of another kind, so that each is a mapping.
void use_up(char* pages, std::size_t count) {
  for (std::size_t i = 0; i < count; i += 2) {
    if (mprotect(pages + i * kPage, kPage, PROT_READ) != 0) return;
  }
  promise::skip("there is no end to mappings here");
}

// How many of 6,000 requests failed.
int ask() {
  int failed = 0;
  unsigned random = 1;
  for (int i = 0; i < 6000; ++i) {
    random = random * 1103515245 + 12345;
    const unsigned at = (random >> 8) % held.size();
    const std::size_t bytes = std::size_t{100} << (random >> 20) % 14;
    promise::put(held[at]);
    errno = 0;
    held[at] = malloc(promise::hide(bytes));
    if (held[at] == nullptr) {
      promise::keep(errno == ENOMEM, "ENOMEM");
      ++failed;
    } else {
      promise::fill(held[at], 64, random);
    }
  }
  return failed;
}

}  // namespace

int main() {
  const std::size_t pages = allowed_mappings() + 1000;
  if (pages > kMostMappings) promise::skip("too many mappings are allowed here");
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const all = mmap(nullptr, 2 * pages * kPage, PROT_NONE, flags, -1, 0);
  promise::keep(all != MAP_FAILED, "address space");
  use_up(static_cast<char*>(all), 2 * pages);
  ask();
  promise::keep(munmap(all, 2 * pages * kPage) == 0, "mappings come free");
  promise::keep(ask() == 0, "all are served again");
  for (void* memory : held) promise::put(memory);
}
