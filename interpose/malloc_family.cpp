// SPDX-License-Identifier: MIT
// Defines the functions of the malloc family that every allocator defines. The others are in
// malloc_derived.cpp.
//
// A request that hits takes four hops, all inlined into the function here: its rule in
// libc_rules.h, Heap::allocate, BufferPool::take, and CpuCache::pop with the restartable sequence
// in it.
#include <cstddef>

#include "interpose/export.h"
#include "interpose/heap.h"
#include "interpose/libc_rules.h"

namespace rules = bufpool::libc_rules;
using bufpool::Heap;

BUFPOOL_EXPORT void* malloc(std::size_t size) noexcept { return rules::malloc(Heap{}, size); }

BUFPOOL_EXPORT void free(void* pointer) noexcept { rules::free(Heap{}, pointer); }

BUFPOOL_EXPORT void* calloc(std::size_t count, std::size_t size) noexcept {
  return rules::calloc(Heap{}, count, size);
}

BUFPOOL_EXPORT void* realloc(void* pointer, std::size_t size) noexcept {
  return rules::realloc(Heap{}, pointer, size);
}

BUFPOOL_EXPORT void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return rules::memalign(Heap{}, alignment, size);
}

BUFPOOL_EXPORT void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return rules::aligned_alloc(Heap{}, alignment, size);
}

BUFPOOL_EXPORT int posix_memalign(void** result, std::size_t alignment, std::size_t size) noexcept {
  return rules::posix_memalign(Heap{}, result, alignment, size);
}

BUFPOOL_EXPORT std::size_t malloc_usable_size(void* pointer) noexcept {
  return rules::malloc_usable_size(Heap{}, pointer);
}

// These are glibc's names for its own functions. Libraries that wrap malloc call them to get past
// themselves. What they return ends in free.
BUFPOOL_EXPORT void* __libc_malloc(std::size_t size) noexcept {
  return rules::malloc(Heap{}, size);
}
BUFPOOL_EXPORT void* __libc_calloc(std::size_t count, std::size_t size) noexcept {
  return rules::calloc(Heap{}, count, size);
}
BUFPOOL_EXPORT void* __libc_realloc(void* pointer, std::size_t size) noexcept {
  return rules::realloc(Heap{}, pointer, size);
}
BUFPOOL_EXPORT void __libc_free(void* pointer) noexcept { rules::free(Heap{}, pointer); }
BUFPOOL_EXPORT void* __libc_memalign(std::size_t alignment, std::size_t size) noexcept {
  return rules::memalign(Heap{}, alignment, size);
}
BUFPOOL_EXPORT void* __libc_valloc(std::size_t size) noexcept {
  return rules::valloc(Heap{}, size);
}
BUFPOOL_EXPORT void* __libc_pvalloc(std::size_t size) noexcept {
  return rules::pvalloc(Heap{}, size);
}
BUFPOOL_EXPORT int __posix_memalign(void** result, std::size_t alignment,
                                    std::size_t size) noexcept {
  return rules::posix_memalign(Heap{}, result, alignment, size);
}
