// SPDX-License-Identifier: MIT
// Keeps the promises of operator new ([new.delete.single] in the C++ standard). A handler is called
// until there is memory or there is no handler. Then std::bad_alloc is thrown, or the nothrow forms
// return null.
//
// The handler and the exception belong to the program. So its C++ runtime is asked by name, and not
// this library's: each of the two copies counts only its own exceptions.
#pragma once

#include <cstddef>
#include <new>

#include "interpose/libc_rules.h"

namespace bufpool::cpp_rules {

// Returns the program's new_handler, or nullptr if none is installed or it has no C++ runtime.
[[nodiscard]] std::new_handler installed_handler() noexcept;

// Throws std::bad_alloc by the program's runtime. Without a runtime it ends the process with a
// line.
[[noreturn]] void throw_bad_alloc();

// Lets the program's handler try, at the end of a nothrow new that found no memory. Returns nullptr
// if there is none to be had.
[[nodiscard]] void* try_with_handler(std::size_t size) noexcept;
[[nodiscard]] void* try_with_handler(std::size_t size, std::align_val_t alignment) noexcept;

// Return what the heap has at once, or nullptr.
template <libc_rules::Allocator H>
void* allocate_once(H heap, std::size_t size, std::align_val_t alignment) noexcept {
  return heap.allocate_aligned(static_cast<std::size_t>(alignment), size);
}

template <libc_rules::Allocator H>
[[gnu::always_inline]] inline void* allocate_once(H heap, std::size_t size) noexcept {
  return heap.allocate(size);
}

// Calls the handler until there is memory, or throws.
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

// Does what operator new does.
template <libc_rules::Allocator H, typename... Alignment>
[[gnu::always_inline]] inline void* allocate(H heap, std::size_t size, Alignment... alignment) {
  void* pointer = allocate_once(heap, size, alignment...);
  if (pointer == nullptr) [[unlikely]]
    return allocate_with_handler(heap, size, alignment...);
  return pointer;
}

// Does what the nothrow operator new does.
template <libc_rules::Allocator H, typename... Alignment>
[[gnu::always_inline]] inline void* try_allocate(H heap, std::size_t size,
                                                 Alignment... alignment) noexcept {
  void* pointer = allocate_once(heap, size, alignment...);
  if (pointer != nullptr) return pointer;
  return libc_rules::or_enomem(heap, try_with_handler(size, alignment...));
}

}  // namespace bufpool::cpp_rules
