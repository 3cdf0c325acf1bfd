// SPDX-License-Identifier: MIT
// Defines the names that some allocators leave out. They go through the names that all allocators
// have, and so to the allocator that is preloaded first. Say that jemalloc is in front, and a
// reallocarray were served here. It would be given blocks of jemalloc's, and it would hand out
// blocks that jemalloc frees.
#include <malloc.h>

#include <cstddef>
#include <cstdlib>

#include "interpose/export.h"
#include "interpose/libc_rules.h"

namespace rules = bufpool::libc_rules;
using std::size_t;

namespace {

// The functions end in jumps. So the function that they go through is called from where the program
// called.
struct FirstInLine {
  static constexpr bool kSetsErrno = true;
  // In this library the name malloc means own_requests.cpp.
  static void* allocate(size_t size) noexcept { return realloc(nullptr, size); }
  static void* allocate_zeroed(size_t size) noexcept { return calloc(1, size); }
  static void* allocate_aligned(size_t alignment, size_t size) noexcept {
    return memalign(alignment, size);
  }
  static void* resize(void* pointer, size_t size) noexcept { return realloc(pointer, size); }
  static void release(void* pointer) noexcept { free(pointer); }
  static size_t usable_size(void* pointer) noexcept { return malloc_usable_size(pointer); }
};

}  // namespace

BUFPOOL_EXPORT void* reallocarray(void* pointer, size_t count, size_t size) noexcept {
  return rules::reallocarray(FirstInLine{}, pointer, count, size);
}

BUFPOOL_EXPORT void* valloc(size_t size) noexcept { return rules::valloc(FirstInLine{}, size); }

BUFPOOL_EXPORT void* pvalloc(size_t size) noexcept { return rules::pvalloc(FirstInLine{}, size); }

// C23 has these. The sizes are the caller's word, and the allocator knows them better.
BUFPOOL_EXPORT void free_sized(void* pointer, size_t) noexcept { free(pointer); }
BUFPOOL_EXPORT void free_aligned_sized(void* pointer, size_t, size_t) noexcept { free(pointer); }

// glibc has it no longer in its headers since 2.26. Programs that were linked before call it.
BUFPOOL_EXPORT void cfree(void* pointer) noexcept { free(pointer); }
