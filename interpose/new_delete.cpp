// SPDX-License-Identifier: MIT
// Defines every replaceable operator new and delete.
#include <cstddef>
#include <new>

#include "interpose/cpp_rules.h"
#include "interpose/heap.h"
#include "interpose/libc_rules.h"

namespace rules = bufpool::cpp_rules;
using bufpool::Heap;
using std::align_val_t;
using std::nothrow_t;
using std::size_t;

// The version script says which names are exported. The standard forbids `inline` and wants these
// global.
#pragma GCC visibility push(default)

void* operator new(size_t n) { return rules::allocate(Heap{}, n); }
void* operator new[](size_t n) { return rules::allocate(Heap{}, n); }
void* operator new(size_t n, const nothrow_t&) noexcept { return rules::try_allocate(Heap{}, n); }
void* operator new[](size_t n, const nothrow_t&) noexcept { return rules::try_allocate(Heap{}, n); }
void* operator new(size_t n, align_val_t a) { return rules::allocate(Heap{}, n, a); }
void* operator new[](size_t n, align_val_t a) { return rules::allocate(Heap{}, n, a); }
void* operator new(size_t n, align_val_t a, const nothrow_t&) noexcept {
  return rules::try_allocate(Heap{}, n, a);
}
void* operator new[](size_t n, align_val_t a, const nothrow_t&) noexcept {
  return rules::try_allocate(Heap{}, n, a);
}

void operator delete(void* p) noexcept { Heap::release(p); }
void operator delete[](void* p) noexcept { Heap::release(p); }
void operator delete(void* p, size_t) noexcept { Heap::release(p); }
void operator delete[](void* p, size_t) noexcept { Heap::release(p); }
void operator delete(void* p, const nothrow_t&) noexcept { Heap::release(p); }
void operator delete[](void* p, const nothrow_t&) noexcept { Heap::release(p); }
void operator delete(void* p, align_val_t) noexcept { Heap::release(p); }
void operator delete[](void* p, align_val_t) noexcept { Heap::release(p); }
void operator delete(void* p, size_t, align_val_t) noexcept { Heap::release(p); }
void operator delete[](void* p, size_t, align_val_t) noexcept { Heap::release(p); }
void operator delete(void* p, align_val_t, const nothrow_t&) noexcept { Heap::release(p); }
void operator delete[](void* p, align_val_t, const nothrow_t&) noexcept { Heap::release(p); }

#pragma GCC visibility pop
