// SPDX-License-Identifier: MIT
// Promise: realloc keeps contents whole if the kernel does not move pages. A filter may refuse
//   mremap, the program may have locked or protected some of the pages, or the kernel may unmap the
//   target first and fail then. A mapping of others in such a hole stays theirs.
// Needs: library
// Modes: auto
// Run: filter
// Args: 0
// Run: locked
// Args: 1
// Run: protected
// Args: 2
// Run: hole
// Args: 3
// Preload-before: holes_by_mremap
#include <dlfcn.h>
#include <sys/mman.h>

#include "tests/programs/memory.h"
#include "tests/programs/seccomp.h"

namespace {

constexpr std::size_t kStart = 5 * promise::kMiB;
constexpr int kHole = 3;

// The number is more than there are slots for such buffers, if each try is one refusal.
constexpr unsigned times(int how) { return how == 0 || how == kHole ? 70 : 3; }

// Calls `visit` for a word in each of the first pages and in the last.
template <typename Visit>
void visit_words(char* memory, Visit visit) {
  for (std::size_t at = 0; at < 8 * 4096; at += 512) visit(memory + at, at);
  for (std::size_t at = kStart - 8 * 4096; at < kStart; at += 512) visit(memory + at, at);
}

void write_words(char* memory, unsigned seed) {
  visit_words(memory, [=](char* word, std::size_t at) { promise::fill(word, 8, seed + at / 512); });
}

void expect_words(char* memory, unsigned seed) {
  promise::keep(memory != nullptr, "there is memory");
  visit_words(memory, [=](char* word, std::size_t at) {
    promise::keep(promise::holds(word, 8, seed + at / 512), "contents are kept");
  });
}

void make_movable(char* memory, int how, bool movable) {
  char* const page = memory + 4096 * 4 - reinterpret_cast<std::size_t>(memory) % 4096;
  // These system calls are not told to the library, which then asks the kernel to move the page.
  if (how == 1 && syscall(movable ? SYS_munlock : SYS_mlock, page, 1) != 0) {
    promise::skip("no memory can be locked here");
  }
  const int protection = movable ? PROT_READ | PROT_WRITE : PROT_READ;
  if (how == 2) promise::keep(mprotect(page, 4096, protection) == 0, "pages can be protected");
}

void expect_strangers_unharmed() {
  const auto unharmed = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "unharmed_strangers"));
  promise::keep(unharmed != nullptr && unharmed() > 0, "what is in the holes is left alone");
}

}  // namespace

int main(int, char** arguments) {
  const int how = atoi(arguments[1]);
  if (how == 0) promise::answer_calls({SYS_mremap}, SECCOMP_RET_ERRNO | EPERM);
  for (unsigned i = 0; i < times(how); ++i) {
    char* memory = promise::get(kStart);
    write_words(memory, i);
    make_movable(memory, how, false);
    auto* grown = static_cast<char*>(realloc(promise::hide(memory), 17 * promise::kMiB));
    expect_words(grown, i);
    make_movable(memory, how, true);
    grown = static_cast<char*>(realloc(promise::hide(grown), 18 * promise::kMiB));
    expect_words(grown, i);
    grown[18 * promise::kMiB - 1] = 1;
    promise::put(grown);
  }
  if (how == kHole) expect_strangers_unharmed();
}
