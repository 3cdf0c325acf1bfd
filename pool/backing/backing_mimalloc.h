// SPDX-License-Identifier: MIT
// This is the part of the contract in backing.h that must cost no more than mimalloc does.
#pragma once

#include <mimalloc.h>

#include <cstddef>

#include "pool/backing/backing.h"

namespace bufpool::backing {

// malloc promises this alignment on x86-64 and aarch64. mimalloc 2.0.9 aligns requests below this
// to 8 only.
inline constexpr std::size_t kLeast = 16;

// Returns a size for which mimalloc keeps the promise.
constexpr std::size_t at_least_aligned(std::size_t size) noexcept {
  return size < kLeast ? kLeast : size;
}

// Is declared in backing.h, which says what it does.
[[gnu::always_inline]] inline void* allocate(std::size_t size) noexcept {
  return mi_malloc(at_least_aligned(size));
}

// It is mi_free until the program alters pages of mimalloc's, and another function from then on. A
// jump through it costs what a jump to another library costs. The loader makes its page read-only.
using ReleaseCall = void (*)(void*) noexcept;
extern constinit ReleaseCall release_call;

// Is declared in backing.h, which says what it does.
[[gnu::always_inline]] inline void release(void* pointer) noexcept { release_call(pointer); }

}  // namespace bufpool::backing
