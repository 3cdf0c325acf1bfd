// SPDX-License-Identifier: MIT
// Promise: a buffer above the pooled range whose pages are locked, protected or advised may be
//   resized into the range. The blocks that it leaves there are memory like any other.
// Needs: library
// Env: BUFPOOL_MAX_SIZE=48M
// Run: plain
// Run: wiped BUFPOOL_ZERO=free
#include <sys/mman.h>

#include "tests/programs/memory.h"
#include "tests/programs/ordinary_pages.h"

namespace {

using promise::kMiB;

constexpr std::size_t kPage = 4096;
constexpr std::size_t kAbove = 100 * kMiB;
constexpr std::size_t kPooled = 39 * kMiB;

struct Alteration {
  const char* name;
  int (*make)(void* pages, std::size_t bytes);
  bool anywhere;  // every machine can
};

constexpr Alteration kAlterations[] = {
    {"kept from children", [](void* at, std::size_t n) { return madvise(at, n, MADV_DONTFORK); },
     true},
    {"kept from cores", [](void* at, std::size_t n) { return madvise(at, n, MADV_DONTDUMP); },
     true},
    {"wiped in children", [](void* at, std::size_t n) { return madvise(at, n, MADV_WIPEONFORK); },
     true},
    {"executable",
     [](void* at, std::size_t n) { return mprotect(at, n, PROT_READ | PROT_WRITE | PROT_EXEC); },
     true},
    {"read only", [](void* at, std::size_t n) { return mprotect(at, n, PROT_READ); }, true},
    {"locked on fault", [](void* at, std::size_t n) { return mlock2(at, n, MLOCK_ONFAULT); },
     false},
};

// The next buffers of the size are those that were left, and some more.
void expect_ordinary(std::size_t bytes) {
  std::array<char*, 4> held{};
  for (char*& memory : held) {
    memory = promise::get(bytes);
    for (std::size_t at = 0; at < bytes; at += kMiB) memory[at] = 1;
    for (const std::size_t at : {std::size_t{0}, bytes / 2, bytes - 1}) {
      promise::keep(promise::is_mapped_as_any_other(memory + at), "mapped as any other");
    }
  }
  for (char* memory : held) promise::put(memory);
}

void resize_altered(const Alteration& alteration, bool twice) {
  char* memory = promise::get(kAbove);
  memory[kMiB] = 1;
  const std::size_t skipped = kPage - reinterpret_cast<std::uintptr_t>(memory) % kPage;
  const int result = alteration.make(memory + skipped, kAbove - 2 * kPage);
  promise::keep(result == 0 || !alteration.anywhere, alteration.name);
  memory = static_cast<char*>(realloc(promise::hide(memory), promise::hide(kPooled)));
  promise::keep(memory != nullptr && memory[kMiB] == 1, "it is whole");
  if (twice) {
    memory = static_cast<char*>(realloc(promise::hide(memory), promise::hide(kPooled / 8)));
    promise::keep(memory != nullptr && memory[kMiB] == 1, "it is whole");
  }
  promise::put(memory);
}

}  // namespace

int main() {
  for (const Alteration& alteration : kAlterations) {
    for (const bool twice : {false, true}) {
      resize_altered(alteration, twice);
      expect_ordinary(kPooled);
      expect_ordinary(kPooled / 8);
    }
  }
}
