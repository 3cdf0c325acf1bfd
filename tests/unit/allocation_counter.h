// SPDX-License-Identifier: MIT
// Counts what a test asks of the heap. Include it in one source of the test only.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace bufpool {

inline constinit std::atomic<std::size_t> heap_calls{0};
inline constinit std::atomic<std::size_t> largest_heap_call{0};

inline void count_heap_call(std::size_t size) noexcept {
  ++heap_calls;
  largest_heap_call = std::max(largest_heap_call.load(), size);
}

// Returns how often `work` asked the heap for memory.
template <typename Work>
std::size_t heap_calls_of(Work&& work) {
  const std::size_t before = heap_calls;
  largest_heap_call = 0;
  work();
  return heap_calls - before;
}

}  // namespace bufpool

// AddressSanitizer's allocator cannot be replaced, but it tells of calls. All others can be
// replaced. So are the operators, because mimalloc's, which a test may be linked with, do not call
// malloc.
#ifdef __SANITIZE_ADDRESS__
// sanitizer/allocator_interface.h declares this, and g++ has no copy of it.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             std::size_t),
                                                         void (*free_hook)(const volatile void*));

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

// It is not inlined, or g++ takes the pair for a new that is given to free.
[[gnu::noinline]] void* operator new(std::size_t size) {
  void* const memory = malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void* operator new[](std::size_t size) { return operator new(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { free(memory); }
#endif
