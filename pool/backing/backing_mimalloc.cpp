// SPDX-License-Identifier: MIT
#include "pool/backing/backing_mimalloc.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>

namespace bufpool::backing {
namespace {

bool aligned(const void* pointer, std::size_t alignment) noexcept {
  return (reinterpret_cast<std::uintptr_t>(pointer) & (alignment - 1)) == 0;
}

// mimalloc 2.0.9 takes small power-of-two sizes from its size bins and does not look whether a
// bin's blocks are aligned as asked. A size off the power of two goes the careful way.
[[gnu::cold]] void* allocate_aligned_off_power(std::size_t alignment, std::size_t size) noexcept {
  for (std::size_t extra = kLeast; extra <= 2 * alignment; extra *= 2) {
    void* pointer = mi_malloc_aligned(size + extra, alignment);
    if (pointer == nullptr || aligned(pointer, alignment)) return pointer;
    mi_free(pointer);
  }
  return nullptr;
}

// mimalloc calls it when it could not do something. It leaves errno to the function called, and
// there is what its system calls left. EFAULT means a free list that was written to. Only builds
// with checks tell it, and they end the process then.
void note_failure(int error, void*) noexcept {
  if (error == EFAULT) std::abort();
  if (error == ENOMEM || error == EOVERFLOW) errno = ENOMEM;
}

}  // namespace

void open() noexcept { mi_register_error(note_failure, nullptr); }

void* allocate_zeroed(std::size_t size) noexcept {
  return is_possible(size) ? mi_zalloc(at_least_aligned(size)) : nullptr;
}

void* allocate_aligned(std::size_t alignment, std::size_t size) noexcept {
  if (!is_possible(size, alignment)) return nullptr;
  if (alignment <= kLeast) return allocate(size);
  void* pointer = mi_malloc_aligned(at_least_aligned(size), alignment);
  if (pointer == nullptr || aligned(pointer, alignment)) return pointer;
  mi_free(pointer);
  return allocate_aligned_off_power(alignment, at_least_aligned(size));
}

void* resize(void* pointer, std::size_t size) noexcept {
  return is_possible(size) ? mi_realloc(pointer, at_least_aligned(size)) : nullptr;
}

std::size_t usable_size(const void* pointer) noexcept { return mi_usable_size(pointer); }

void collect() noexcept { mi_collect(true); }

std::size_t committed_bytes() noexcept {
  std::size_t committed = 0;
  mi_process_info(nullptr, nullptr, nullptr, nullptr, nullptr, &committed, nullptr, nullptr);
  return committed;
}

}  // namespace bufpool::backing
