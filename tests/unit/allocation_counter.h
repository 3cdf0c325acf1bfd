// SPDX-License-Identifier: MIT
// Counts what a test asks of the heap. Include it in one source of the test only.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/allocator_interface.h>
#endif

namespace bufpool {

inline constinit std::atomic<std::size_t> heap_calls{0};
inline constinit std::atomic<std::size_t> largest_heap_call{0};

inline void count_heap_call(std::size_t size) noexcept {
  ++heap_calls;
  largest_heap_call = std::max(largest_heap_call.load(), size);
}

// How often `work` asked the heap for memory.
template <typename Work>
std::size_t heap_calls_of(Work&& work) {
  const std::size_t before = heap_calls;
  largest_heap_call = 0;
  work();
  return heap_calls - before;
}

}  // namespace bufpool

// AddressSanitizer's allocator cannot be replaced, but tells; glibc's can, and operator new calls
// it.
#ifdef __SANITIZE_ADDRESS__
namespace bufpool {
inline const int kHooksInstalled = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t size) { count_heap_call(size); },
    [](const volatile void*) {});
}  // namespace bufpool
#else
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) noexcept {
  bufpool::count_heap_call(size);
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  bufpool::count_heap_call(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  bufpool::count_heap_call(size);
  return __libc_realloc(old, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  bufpool::count_heap_call(size);
  return __libc_memalign(alignment, size);
}
}
#endif
