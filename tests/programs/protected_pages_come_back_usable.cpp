// SPDX-License-Identifier: MIT
// Promise: a buffer that is freed, resized or wiped while pages of it are protected can be used by
//   its next owner.
// Needs: library
// Run: plain
// Run: wiped BUFPOOL_ZERO=free
// Run: zeroed BUFPOOL_ZERO=alloc
#include <sys/mman.h>

#include "tests/programs/memory.h"

namespace {

constexpr std::size_t kPage = 4096;

void* get_aligned(std::size_t alignment, std::size_t bytes) {
  void* const memory = aligned_alloc(alignment, promise::hide(bytes));
  promise::keep(memory != nullptr, "there is memory");
  return memory;
}

// Sets the rights of all whole pages of a buffer.
void protect(void* memory, std::size_t bytes, int rights) {
  const auto start = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t first = (start + kPage - 1) & ~(kPage - 1);
  const std::uintptr_t last = (start + bytes) & ~(kPage - 1);
  promise::keep(mprotect(reinterpret_cast<void*>(first), last - first, rights) == 0, "protected");
}

// Protects the page that a buffer begins in, and then all pages. No call can be made for the buffer
// until the rights are back, because the line in front of it is protected, too.
void protect_for_a_while(std::size_t bytes, int rights) {
  char* const memory = promise::get<char>(bytes);
  const auto start = reinterpret_cast<std::uintptr_t>(memory);
  auto* const first = reinterpret_cast<void*>(start & ~(kPage - 1));
  const std::size_t all = ((start + bytes) & ~(kPage - 1)) - (start & ~(kPage - 1));
  for (const std::size_t part : {kPage, all}) {
    promise::keep(mprotect(first, part, rights) == 0, "protected");
  }
  promise::keep(mprotect(first, all, PROT_READ | PROT_WRITE) == 0, "the rights are back");
  promise::put(memset(memory, 1, bytes));
}

void use_many(std::size_t alignment, std::size_t bytes) {
  std::array<void*, 8> held{};
  for (void*& memory : held) {
    memory = get_aligned(alignment, bytes);
    memset(memory, 1, bytes);
  }
  for (void* memory : held) promise::put(memory);
  promise::put(memset(calloc(1, promise::hide(bytes)), 1, bytes));
}

void* grown_to(std::size_t bytes) {
  void* memory = promise::get<void>(bytes / 3);
  for (const std::size_t more : {bytes / 2, bytes}) {
    memory = realloc(promise::hide(memory), promise::hide(more));
    promise::keep(memory != nullptr, "it grows");
  }
  return memory;
}

}  // namespace

int main() {
  for (const int rights : {PROT_READ, PROT_NONE}) {
    for (const std::size_t bytes :
         {std::size_t{16'384}, std::size_t{65'536}, promise::kMiB, 20 * promise::kMiB}) {
      for (const std::size_t alignment : {std::size_t{16}, kPage}) {
        void* const memory = get_aligned(alignment, bytes);
        memset(memory, 1, bytes);
        protect(memory, bytes, rights);
        promise::put(memory);
        use_many(alignment, bytes);
      }
      void* const grown = grown_to(bytes);
      protect(grown, bytes, rights);
      promise::put(grown);
      protect_for_a_while(bytes, rights);
      use_many(16, bytes);
    }
    void* const read_only = promise::get<void>(promise::kMiB);
    protect(read_only, promise::kMiB, PROT_READ);
    promise::put(realloc(promise::hide(read_only), 8 * promise::kMiB));
    use_many(16, promise::kMiB);
  }
}
