// SPDX-License-Identifier: MIT
// Keeps the promises of the malloc family's functions over any allocator: zero sizes, overflow,
// alignment, errno. The rules are glibc's (its manual, and malloc/malloc.c of 2.36), because
// programs rely on them. They are those of POSIX and C where glibc has no choice.
#pragma once

#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>

#include "pool/platform/memory.h"

namespace bufpool::libc_rules {

template <typename H>
concept Allocator = requires(H heap, void* pointer, std::size_t size) {
  { heap.allocate(size) } -> std::same_as<void*>;
  { heap.allocate_zeroed(size) } -> std::same_as<void*>;
  { heap.allocate_aligned(size, size) } -> std::same_as<void*>;
  { heap.resize(pointer, size) } -> std::same_as<void*>;
  { heap.usable_size(pointer) } -> std::same_as<std::size_t>;
  heap.release(pointer);
};

// calloc and reallocarray refuse a product that does not fit, with ENOMEM.
constexpr bool product_overflows(std::size_t count, std::size_t size, std::size_t& bytes) noexcept {
  return __builtin_mul_overflow(count, size, &bytes);
}

// posix_memalign takes powers of two that are multiples of a pointer's size, else EINVAL (POSIX).
constexpr bool bad_posix_alignment(std::size_t alignment) noexcept {
  return alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment % sizeof(void*) != 0;
}

// memalign refuses an alignment that no power of two in size_t is as large as, with EINVAL.
constexpr bool alignment_overflows(std::size_t alignment) noexcept {
  return alignment > SIZE_MAX / 2 + 1;
}

// memalign rounds an alignment that is no power of two up to the next one.
constexpr std::size_t power_of_two_above(std::size_t alignment) noexcept {
  std::size_t power = 1;
  while (power < alignment) power <<= 1;
  return power;
}

// pvalloc serves whole pages; a size whose rounding overflows is refused with ENOMEM.
constexpr bool round_to_page_overflows(std::size_t size, std::size_t& rounded) noexcept {
  if (__builtin_add_overflow(size, platform::kPageBytes - 1, &rounded)) return true;
  rounded &= ~(platform::kPageBytes - 1);
  return false;
}

// Sets errno and returns nullptr.
[[gnu::cold, gnu::noinline]] inline void* refuse(int error) noexcept {
  errno = error;
  return nullptr;
}

// Sets ENOMEM if there is no memory, and returns `pointer`. A heap that sets errno itself says so.
template <Allocator H>
[[gnu::always_inline]] inline void* or_enomem(H, void* pointer) noexcept {
  if constexpr (requires { H::kSetsErrno; }) return pointer;
  return pointer != nullptr ? pointer : refuse(ENOMEM);
}

// allocate() sets ENOMEM itself, because a hit has no room for a check that never fails.
template <Allocator H>
[[gnu::always_inline]] inline void* malloc(H heap, std::size_t size) noexcept {
  return heap.allocate(size);
}

// free leaves errno alone (POSIX 2024), whatever the allocator's system calls do.
template <Allocator H>
[[gnu::always_inline]] inline void free(H heap, void* pointer) noexcept {
  heap.release(pointer);
}

// Serves `count` times `size` bytes that are zero.
template <Allocator H>
[[gnu::always_inline]] inline void* calloc(H heap, std::size_t count, std::size_t size) noexcept {
  std::size_t bytes = 0;
  if (product_overflows(count, size, bytes)) return refuse(ENOMEM);
  return or_enomem(heap, heap.allocate_zeroed(bytes));
}

// realloc(p, 0) frees and returns null, as glibc does. A failure leaves the old block alone.
template <Allocator H>
[[gnu::always_inline]] inline void* realloc(H heap, void* pointer, std::size_t size) noexcept {
  if (pointer == nullptr) return heap.allocate(size);
  if (size == 0) {
    heap.release(pointer);
    return nullptr;
  }
  return or_enomem(heap, heap.resize(pointer, size));
}

// Does what realloc does for `count` times `size` bytes.
template <Allocator H>
[[gnu::always_inline]] inline void* reallocarray(H heap, void* pointer, std::size_t count,
                                                 std::size_t size) noexcept {
  std::size_t bytes = 0;
  if (product_overflows(count, size, bytes)) return refuse(ENOMEM);
  return realloc(heap, pointer, bytes);
}

// Serves `size` bytes aligned to a power of two that is `alignment` or more.
template <Allocator H>
[[gnu::always_inline]] inline void* memalign(H heap, std::size_t alignment,
                                             std::size_t size) noexcept {
  if (alignment_overflows(alignment)) return refuse(EINVAL);
  return or_enomem(heap, heap.allocate_aligned(power_of_two_above(alignment), size));
}

// glibc 2.36 has aligned_alloc under memalign's rules: it takes any alignment and any size.
template <Allocator H>
[[gnu::always_inline]] inline void* aligned_alloc(H heap, std::size_t alignment,
                                                  std::size_t size) noexcept {
  return memalign(heap, alignment, size);
}

// Returns the error, and sets `*result` on success only. POSIX says nothing of errno. glibc leaves
// it alone, except for what its malloc sets where there is no memory, and programs look there.
template <Allocator H>
[[gnu::always_inline]] inline int posix_memalign(H heap, void** result, std::size_t alignment,
                                                 std::size_t size) noexcept {
  if (bad_posix_alignment(alignment)) return EINVAL;
  const int kept = errno;
  void* pointer = heap.allocate_aligned(alignment, size);
  errno = pointer != nullptr ? kept : ENOMEM;
  if (pointer == nullptr) return ENOMEM;
  *result = pointer;
  return 0;
}

// Serves `size` bytes at the start of a page.
template <Allocator H>
[[gnu::always_inline]] inline void* valloc(H heap, std::size_t size) noexcept {
  return memalign(heap, platform::kPageBytes, size);
}

// Serves whole pages, `size` bytes or more.
template <Allocator H>
[[gnu::always_inline]] inline void* pvalloc(H heap, std::size_t size) noexcept {
  std::size_t rounded = 0;
  if (round_to_page_overflows(size, rounded)) return refuse(ENOMEM);
  return memalign(heap, platform::kPageBytes, rounded);
}

// Returns the bytes that the program may use. It is 0 for a null pointer.
template <Allocator H>
[[gnu::always_inline]] inline std::size_t malloc_usable_size(H heap, void* pointer) noexcept {
  return pointer == nullptr ? 0 : heap.usable_size(pointer);
}

}  // namespace bufpool::libc_rules
