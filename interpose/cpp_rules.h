// SPDX-License-Identifier: MIT
// The promises of operator new ([new.delete.single] in the C++ standard): a handler is called until
// there is memory or there is no handler; then std::bad_alloc, or null from the nothrow forms.
//
// Handler and exception are the program's: its C++ runtime is asked by name, not ours, as the two
// copies would each count only their own exceptions.
#pragma once

#include <cstddef>
#include <new>

#include "interpose/libc_rules.h"

namespace bufpool::cpp_rules {

// The program's new_handler; nullptr: none is installed, or it has no C++ runtime.
[[nodiscard]] std::new_handler installed_handler() noexcept;

// Throws std::bad_alloc by the program's runtime; without one, ends the process with a line.
[[noreturn]] void throw_bad_alloc();

// The end of a nothrow new that found no memory: lets the program's handler have its say.
[[nodiscard]] void* try_with_handler(std::size_t size) noexcept;
[[nodiscard]] void* try_with_handler(std::size_t size, std::align_val_t alignment) noexcept;

template <libc_rules::Allocator H>
void* allocate_once(H heap, std::size_t size, std::align_val_t alignment) noexcept {
  return heap.allocate_aligned(static_cast<std::size_t>(alignment), size);
}

template <libc_rules::Allocator H>
[[gnu::always_inline]] inline void* allocate_once(H heap, std::size_t size) noexcept {
  return heap.allocate(size);
}

template <libc_rules::Allocator H, typename... Alignment>
[[gnu::cold, gnu::noinline]] void* allocate_with_handler(H heap, std::size_t size,
                                                         Alignment... alignment) {
  for (;;) {
    const std::new_handler handler = installed_handler();
    if (handler == nullptr) throw_bad_alloc();
    handler();
    if (void* pointer = allocate_once(heap, size, alignment...)) return pointer;
  }
}

template <libc_rules::Allocator H, typename... Alignment>
[[gnu::always_inline]] inline void* allocate(H heap, std::size_t size, Alignment... alignment) {
  void* pointer = allocate_once(heap, size, alignment...);
  if (pointer == nullptr) [[unlikely]]
    return allocate_with_handler(heap, size, alignment...);
  return pointer;
}

template <libc_rules::Allocator H, typename... Alignment>
[[gnu::always_inline]] inline void* try_allocate(H heap, std::size_t size,
                                                 Alignment... alignment) noexcept {
  void* pointer = allocate_once(heap, size, alignment...);
  if (pointer != nullptr) return pointer;
  return libc_rules::or_enomem(heap, try_with_handler(size, alignment...));
}

}  // namespace bufpool::cpp_rules
