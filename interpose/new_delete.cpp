// SPDX-License-Identifier: MIT
// Defines every replaceable operator new and delete. A program may replace some of them alone, such
// as operator new(size_t) and operator delete(void*). The standard has the other forms call those
// ([new.delete.single], [new.delete.array]). So each form calls another by the name that the loader
// bound: this file is compiled with -fsemantic-interposition.
#include <cstddef>
#include <new>

#include "interpose/cpp_rules.h"
#include "interpose/heap.h"

namespace rules = bufpool::cpp_rules;
using bufpool::Heap;
using rules::Shape;
using std::align_val_t;
using std::nothrow_t;
using std::size_t;

// The version script says which names are exported. The standard forbids `inline` and wants these
// global.
#pragma GCC visibility push(default)

void* operator new(size_t n) { return rules::allocate(Heap{}, n); }
void* operator new(size_t n, align_val_t a) { return rules::allocate(Heap{}, n, a); }
void* operator new[](size_t n) { return ::operator new(n); }
void* operator new[](size_t n, align_val_t a) { return ::operator new(n, a); }

void operator delete(void* p) noexcept { Heap::release(p); }
void operator delete(void* p, align_val_t) noexcept { Heap::release(p); }
void operator delete[](void* p) noexcept { ::operator delete(p); }
void operator delete[](void* p, align_val_t a) noexcept { ::operator delete(p, a); }
void operator delete(void* p, size_t) noexcept { ::operator delete(p); }
void operator delete[](void* p, size_t) noexcept { ::operator delete[](p); }
void operator delete(void* p, size_t, align_val_t a) noexcept { ::operator delete(p, a); }
void operator delete[](void* p, size_t, align_val_t a) noexcept { ::operator delete[](p, a); }
void operator delete(void* p, const nothrow_t&) noexcept { ::operator delete(p); }
void operator delete[](void* p, const nothrow_t&) noexcept { ::operator delete[](p); }
void operator delete(void* p, align_val_t a, const nothrow_t&) noexcept { ::operator delete(p, a); }
void operator delete[](void* p, align_val_t a, const nothrow_t&) noexcept {
  ::operator delete[](p, a);
}

#pragma GCC visibility pop

// These names of the throwing forms cannot be replaced.
extern "C" {
[[gnu::alias("_Znwm"), gnu::visibility("hidden"), gnu::malloc, gnu::alloc_size(1)]] void*
bufpool_new(size_t n);
[[gnu::alias("_Znam"), gnu::visibility("hidden"), gnu::malloc, gnu::alloc_size(1)]] void*
bufpool_new_array(size_t n);
[[gnu::alias("_ZnwmSt11align_val_t"), gnu::visibility("hidden"), gnu::malloc,
  gnu::alloc_size(1)]] void*
bufpool_new_aligned(size_t n, align_val_t a);
[[gnu::alias("_ZnamSt11align_val_t"), gnu::visibility("hidden"), gnu::malloc,
  gnu::alloc_size(1)]] void*
bufpool_new_array_aligned(size_t n, align_val_t a);
}

namespace {

// Return whether the throwing form of this shape, and all that it calls, is this library's.
bool is_own(Shape shape) noexcept {
  using Form = void* (*)(size_t);
  return static_cast<Form>(&::operator new) == &bufpool_new &&
         (shape == Shape::kSingle || static_cast<Form>(&::operator new[]) == &bufpool_new_array);
}
bool is_own_aligned(Shape shape) noexcept {
  using Form = void* (*)(size_t, align_val_t);
  return static_cast<Form>(&::operator new) == &bufpool_new_aligned &&
         (shape == Shape::kSingle ||
          static_cast<Form>(&::operator new[]) == &bufpool_new_array_aligned);
}

// A nothrow form calls the throwing form and catches. The own form can do without.
void* try_new(Shape shape, size_t n) noexcept {
  return is_own(shape) ? rules::try_allocate(Heap{}, n) : rules::try_by_runtime(shape, n);
}
void* try_new(Shape shape, size_t n, align_val_t a) noexcept {
  return is_own_aligned(shape) ? rules::try_allocate(Heap{}, n, a)
                               : rules::try_by_runtime(shape, n, a);
}

}  // namespace

#pragma GCC visibility push(default)

void* operator new(size_t n, const nothrow_t&) noexcept { return try_new(Shape::kSingle, n); }
void* operator new[](size_t n, const nothrow_t&) noexcept { return try_new(Shape::kArray, n); }
void* operator new(size_t n, align_val_t a, const nothrow_t&) noexcept {
  return try_new(Shape::kSingle, n, a);
}
void* operator new[](size_t n, align_val_t a, const nothrow_t&) noexcept {
  return try_new(Shape::kArray, n, a);
}

#pragma GCC visibility pop
