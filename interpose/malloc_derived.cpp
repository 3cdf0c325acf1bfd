// SPDX-License-Identifier: MIT
// The names that some allocators leave out. They go through the names that all have, and so to
// whichever allocator is preloaded first: with jemalloc in front of us, a reallocarray that were
// served here would be given blocks of jemalloc's, and hand out blocks that it frees.
#include <malloc.h>

#include <cstddef>
#include <cstdlib>

#include "interpose/export.h"
#include "interpose/libc_rules.h"

namespace rules = bufpool::libc_rules;
using std::size_t;

namespace {

// They end in jumps, so that the function they go through is called from where the program called.
struct FirstInLine {
  static constexpr bool kSetsErrno = true;
  // malloc's own name means own_requests.cpp in here.
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

// C23. The sizes given are the caller's word for what the allocator knows better.
BUFPOOL_EXPORT void free_sized(void* pointer, size_t) noexcept { free(pointer); }
BUFPOOL_EXPORT void free_aligned_sized(void* pointer, size_t, size_t) noexcept { free(pointer); }

// Gone from glibc 2.26's headers, still called by programs linked before.
BUFPOOL_EXPORT void cfree(void* pointer) noexcept { free(pointer); }
