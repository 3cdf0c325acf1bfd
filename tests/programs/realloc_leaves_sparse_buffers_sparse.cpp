// SPDX-License-Identifier: MIT
// Promise: realloc of a large buffer touches a few pages and no more, whatever the buffer's
//   alignment. This holds within the pooled range, above it, and across its border in both
//   directions. What was written is kept, and all of the new size can be used.
// Run: plain
// Run: wiped BUFPOOL_ZERO=free
// Run: narrow BUFPOOL_MAX_SIZE=100M
// Run: passed BUFPOOL_DISABLE=1
#include <malloc.h>
#include <sys/prctl.h>

#include <initializer_list>

#include "tests/programs/memory.h"

namespace {

using promise::kMiB;

constexpr std::size_t kWord = 8;
constexpr std::size_t kMost = 2600 * kMiB;

// It is far less than any of the buffers has, and more than the words written to all of them take.
constexpr std::size_t kFew = 24 * kMiB;
constexpr long kFewFaults = 4000;

// The words are at both ends of a buffer, beside the borders of pages, and far from one another.
template <typename Visit>
void visit_words(std::size_t bytes, Visit visit) {
  constexpr std::size_t kApart = 37 * kMiB;
  for (std::size_t at = 0; at + kWord <= bytes; at += kApart + 4096 + 64) visit(at);
  for (std::size_t at = 64; at < 16384; at += 512) visit(at);
  visit(bytes - kWord);
}

unsigned seed_of(std::size_t at) { return static_cast<unsigned>(at / kWord * 2654435761U >> 7); }

void write_words(char* memory, std::size_t bytes) {
  visit_words(bytes, [=](std::size_t at) { promise::fill(memory + at, kWord, seed_of(at)); });
}

void expect_words(const char* memory, std::size_t bytes, std::size_t kept) {
  visit_words(bytes, [=](std::size_t at) {
    if (at + kWord > kept) return;
    promise::keep(promise::holds(memory + at, kWord, seed_of(at)), "what was written is kept");
  });
}

// `sizes` are in MiB and a few bytes more.
void expect_sparse(std::size_t alignment, std::initializer_list<std::size_t> sizes) {
  const std::size_t before = promise::resident_bytes();
  const long faults = promise::page_faults();
  char* memory = nullptr;
  std::size_t held = 0;
  for (std::size_t size : sizes) {
    size = size * kMiB + size % 29 * 8;
    memory = static_cast<char*>(memory == nullptr ? memalign(alignment, promise::hide(size))
                                                  : realloc(memory, promise::hide(size)));
    promise::keep(memory != nullptr && malloc_usable_size(memory) >= size, "of the new size");
    if (held != 0) expect_words(memory, held, std::min(held, size));
    write_words(memory, size);
    held = size;
    promise::keep(promise::grown_since(before) < kFew, "few pages are resident");
    promise::keep(promise::page_faults() - faults < kFewFaults, "few pages are touched");
  }
  promise::put(memory);
}

// Steps that are small beside the buffer must not cost a mapping each.
void expect_few_steps_to_move() {
  char* memory = promise::get(1100 * kMiB);
  int moves = 0;
  for (std::size_t bytes = 1100 * kMiB; bytes < kMost; bytes += kMiB) {
    memory[bytes - 1] = 1;
    char* const grown = static_cast<char*>(realloc(promise::hide(memory), bytes + kMiB));
    promise::keep(grown != nullptr && grown[bytes - 1] == 1, "it grows");
    moves += grown != memory;
    memory = grown;
  }
  promise::keep(moves < 100, "most steps are made in place");
  promise::put(memory);
}

}  // namespace

int main() {
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);  // a word would be 2 MiB otherwise
  for (int round = 0; round < 3; ++round) {
    for (const std::size_t alignment : {16UL, 4096UL, 65536UL, 2 * kMiB}) {
      expect_sparse(alignment, {500, 900, 1200, 1500, 1000, 600, 140, 80});
      expect_sparse(alignment, {500, 900, 1010, 1400, 2500, 1100, 1300, 700});
      expect_sparse(alignment, {1100, 1101, 1300, 1000, 1030, 1010, 900, 1200});
      expect_sparse(alignment, {1500, 1400, 300, 1200, 200, 1900, 90, 2500});
      expect_sparse(alignment, {60, 90, 140, 220, 340, 520, 800, 1300, 2000});
    }
  }
  expect_few_steps_to_move();
}
