// SPDX-License-Identifier: MIT
// Promise: realloc of large buffers from the pooled range to above it, and back, keeps what they
//   hold and leaves all of them writable. The kernel may move the pages, a filter may forbid it,
//   the kernel may unmap the target and fail then, or the program may have protected or locked a
//   page.
// Needs: library
// Env: BUFPOOL_MAX_SIZE=48M
// Run: plain
// Args: 0
// Run: wiped BUFPOOL_ZERO=free
// Args: 0
// Run: zeroed BUFPOOL_ZERO=alloc
// Args: 0
// Run: filter
// Args: 1
// Run: protected
// Args: 2
// Run: locked
// Args: 3
// Run: hole
// Args: 4
// Preload-before: holes_by_mremap
#include <dlfcn.h>
#include <malloc.h>
#include <sys/mman.h>

#include <random>

#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

namespace {

using promise::kMiB;

enum How { kPlain, kFilter, kProtected, kLocked, kHole };

constexpr std::size_t kWord = 8;
constexpr int kRounds = 12;

template <typename Visit>
void visit_words(std::size_t bytes, Visit visit) {
  for (std::size_t at = 0; at + kWord <= bytes; at += 32768 + 8) visit(at);
}

void write_words(char* memory, std::size_t bytes, unsigned seed) {
  visit_words(bytes, [=](std::size_t at) {
    promise::fill(memory + at, kWord, seed + static_cast<unsigned>(at >> 15));
  });
}

void expect_words(const char* memory, std::size_t bytes, unsigned seed) {
  visit_words(bytes, [=](std::size_t at) {
    promise::keep(promise::holds(memory + at, kWord, seed + static_cast<unsigned>(at >> 15)),
                  "what was written is kept");
  });
}

void alter(char* memory, std::size_t bytes, int how) {
  char* const middle = memory + bytes / 2;
  char* const page = middle - reinterpret_cast<std::uintptr_t>(middle) % 4096;
  if (how == kProtected) promise::keep(mprotect(page, 4096, PROT_READ) == 0, "pages are protected");
  if (how == kLocked && mlock(page, 4096) != 0) promise::skip("no memory can be locked here");
}

// If realloc left the buffer in its place, the page is still protected.
void make_writable(char* memory, std::size_t bytes) {
  const std::size_t in_page = reinterpret_cast<std::uintptr_t>(memory) % 4096;
  promise::keep(mprotect(memory - in_page, bytes + in_page, PROT_READ | PROT_WRITE) == 0, "RW");
}

char* start(std::mt19937& random, std::size_t bytes) {
  const std::size_t alignment = std::size_t{16} << (random() % 3 * 8);
  auto* const memory = static_cast<char*>(memalign(promise::hide(alignment), promise::hide(bytes)));
  promise::keep(memory != nullptr, "there is memory");
  return memory;
}

void expect_kept(std::mt19937& random, int how) {
  std::size_t bytes = (4 + random() % 50) * kMiB + random() % 9000;
  char* memory = start(random, bytes);
  const unsigned seed = random();
  write_words(memory, bytes, seed);
  for (int step = 0; step < 4; ++step) {
    alter(memory, bytes, how);
    const std::size_t next = (2 + random() % 70) * kMiB + random() % 9000;
    char* const before = memory;
    memory = static_cast<char*>(realloc(promise::hide(memory), promise::hide(next)));
    promise::keep(memory != nullptr && malloc_usable_size(memory) >= next, "of the new size");
    expect_words(memory, std::min(bytes, next), seed);
    if (how == kProtected && memory == before) make_writable(memory, next);
    write_words(memory, next, seed);
    bytes = next;
  }
  promise::put(memory);
}

void expect_strangers_unharmed() {
  const auto unharmed = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "unharmed_strangers"));
  promise::keep(unharmed != nullptr && unharmed() > 0, "what is in the holes is left alone");
}

void leave_dirty(std::size_t bytes) {
  void* const dirty = promise::get<void>(bytes);
  memset(dirty, 0xa5, malloc_usable_size(dirty));
  promise::put(dirty);
}

// Checks the bytes that realloc adds to an aligned buffer of the pool.
void expect_zeros_behind(std::size_t from, std::size_t to) {
  leave_dirty(from + 8192);
  leave_dirty(to);
  void* const aligned = memalign(4096, promise::hide(from));
  auto* const memory = static_cast<char*>(realloc(promise::hide(aligned), promise::hide(to)));
  promise::keep(memory != nullptr && promise::is_zero(memory, to), "nothing of another is in it");
  promise::put(memory);
}

}  // namespace

int main(int, char** arguments) {
  const int how = atoi(arguments[1]);
  if (how == kFilter) promise::answer_calls({SYS_mremap}, SECCOMP_RET_ERRNO | EPERM);
  std::mt19937 random(11);
  for (int round = 0; round < kRounds; ++round) expect_kept(random, how);
  if (how == kHole) expect_strangers_unharmed();
  if (getenv("BUFPOOL_ZERO") != nullptr && strcmp(getenv("BUFPOOL_ZERO"), "alloc") == 0) {
    expect_zeros_behind(10 * kMiB, 40 * kMiB);
    expect_zeros_behind(10 * kMiB, 11 * kMiB);
  }
}
