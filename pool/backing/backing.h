// SPDX-License-Identifier: MIT
// The contract with the allocator underneath, which serves what the pool does not.
// backing_mimalloc.h and .cpp are its one implementation; the header is the only file that includes
// mimalloc's, and makes the two calls that matter a jump.
//
// An implementation mends what its allocator gets wrong, so that callers may rely on this page:
// addresses are aligned to 16 bytes (to `alignment` where one is given), sizes of 0 are served,
// and failure is nullptr; errno is then ENOMEM or as it was, and ENOMEM after allocate() once
// open() was called. All may be called before constructors.
#pragma once

#include <cerrno>
#include <cstddef>

namespace bufpool::backing {

// Has failures noted in errno. It neither allocates nor makes the allocator set itself up; doing it
// twice is harmless. Where a thread gets no memory, `refused` is called in it before it is told.
void open(void (*refused)() noexcept) noexcept;

// Where the addresses end that the kernel gives a process without being asked for more.
#if defined(__x86_64__)
inline constexpr std::size_t kAddresses = std::size_t{1} << 47;
#else
inline constexpr std::size_t kAddresses = std::size_t{1} << 52;
#endif

// Address space that is set aside for a thread with its first request, and again as it is used up.
inline constexpr std::size_t kThreadBytes = std::size_t{32} << 20;

// Whether some process could have such a block. An allocator that is asked for one that no process
// can have gives up all that it keeps before it says no, and has to map it again.
constexpr bool is_possible(std::size_t size, std::size_t alignment = 1) noexcept {
  return alignment < kAddresses && size < kAddresses - alignment;
}

// Pre: is_possible(size), or it takes long to say no. The others look themselves.
[[nodiscard]] void* allocate(std::size_t size) noexcept;
[[nodiscard]] void* allocate_zeroed(std::size_t size) noexcept;

// Pre: `alignment` is a power of two.
[[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t size) noexcept;

// Resizes in place or by moving; nullptr: `pointer` is as it was. Pre: size > 0.
[[nodiscard]] void* resize(void* pointer, std::size_t size) noexcept;

// Pre: `pointer` is null or was allocated here.
void release(void* pointer) noexcept;
[[nodiscard]] std::size_t usable_size(const void* pointer) noexcept;

// Gives unused memory back to the system as far as the allocator can.
void collect() noexcept;

// Bytes it holds from the system, as far as it tells.
[[nodiscard]] std::size_t committed_bytes() noexcept;

// Returns what `ask` gets from the calls above; errno is as it was, and ENOMEM where that is null.
// For requests that are not small: the allocator's first look at the machine costs errno its value.
template <typename Ask>
[[nodiscard]] void* keeping_errno(Ask ask) noexcept {
  const int kept = errno;
  void* const pointer = ask();
  errno = pointer == nullptr ? ENOMEM : kept;
  return pointer;
}

}  // namespace bufpool::backing

#include "pool/backing/backing_mimalloc.h"
