// SPDX-License-Identifier: MIT
// This is the contract with the allocator underneath, which serves the requests that the pool does
// not. backing_mimalloc.h and .cpp are its one implementation. The header is the only file that
// includes mimalloc's, and makes the two calls that matter a jump.
//
// An implementation mends what its allocator gets wrong, so that callers may rely on this page.
// Addresses are aligned to 16 bytes, or to `alignment` if one is given. Sizes of 0 are served.
// Failure is nullptr. allocate() then sets errno to ENOMEM if open() was called before. Every other
// failure leaves errno as it was, or makes it ENOMEM. All may be called before constructors. A
// signal handler may call what it may call of the allocator.
#pragma once

#include <cerrno>
#include <cstddef>

namespace bufpool::backing {

// Makes the allocator note failures in errno. If it has no memory for a request, it calls `refused`
// in that thread before the thread is told. It neither allocates nor makes the allocator set itself
// up. Doing it twice is harmless.
void open(void (*refused)() noexcept) noexcept;

// Returns whether a call that came from `caller` was made by the allocator. It takes no lock. It
// returns false where the loader cannot tell (before glibc 2.35).
[[nodiscard]] bool is_call_of(const void* caller) noexcept;

// The kernel gives a process addresses below this one if it is not asked for more.
#if defined(__x86_64__)
inline constexpr std::size_t kAddresses = std::size_t{1} << 47;
#else
inline constexpr std::size_t kAddresses = std::size_t{1} << 52;
#endif

// So many bytes of address space are set aside for a thread with its first request, and again when
// they are used up.
inline constexpr std::size_t kThreadBytes = std::size_t{32} << 20;

// Returns whether some process could have such a block. An allocator that is asked for a block that
// no process can have gives up all that it keeps before it says no, and has to map it again.
constexpr bool is_possible(std::size_t size, std::size_t alignment = 1) noexcept {
  return alignment < kAddresses && size < kAddresses - alignment;
}

// Returns `size` bytes. Pre: is_possible(size), or it takes long to say no.
[[nodiscard]] void* allocate(std::size_t size) noexcept;

// Returns `size` bytes that are zero.
[[nodiscard]] void* allocate_zeroed(std::size_t size) noexcept;

// Returns `size` bytes aligned to `alignment`. Pre: `alignment` is a power of two.
[[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t size) noexcept;

// Blocks of this size and more have mappings of their own, which go when they are released. So the
// pages of others may move in, and theirs away, without mappings adding up.
inline constexpr std::size_t kLeastMappedAlone = (std::size_t{32} << 20) + 1;

// Returns memory that begins `in_page` bytes behind the start of a page, so that the pages of
// contents that begin so can move into it. It returns nullptr if there is none. Pre: size >=
// kLeastMappedAlone; `in_page` is less than a page, and a multiple of 16.
[[nodiscard]] void* allocate_in_page(std::size_t size, std::size_t in_page) noexcept;

// Resizes a block in place or by moving it. Whole pages of large blocks move, and are not touched.
// Returns where it is, or nullptr: then `pointer` is as it was. Pre: size > 0.
[[nodiscard]] void* resize(void* pointer, std::size_t size) noexcept;

// Takes a block back. Pre: `pointer` is null or was allocated here.
void release(void* pointer) noexcept;

// Notes that the program is about to alter the pages of [start, start + bytes): it protects, locks
// or unmaps them, or maps something over them. If they are of a block, the block gets fresh pages
// when it comes back, and pages that can be written when it is resized. Nothing is noted of calls
// that the allocator makes itself, which come from `caller`. A signal handler may call it.
void note_altered(const void* start, std::size_t bytes, const void* caller) noexcept;

// Returns the bytes that the program may use of a block. The
// pre-condition is that of release().
[[nodiscard]] std::size_t usable_size(const void* pointer) noexcept;

// Gives unused memory back to the system as far as the allocator can.
void collect() noexcept;

// Returns the bytes that the allocator holds from the system, as far as it tells.
[[nodiscard]] std::size_t committed_bytes() noexcept;

// Returns what `ask` gets from the calls above. errno is as it was, or ENOMEM if that is null. It
// is for requests that are not small: the allocator's first look at the machine costs errno its
// value.
template <typename Ask>
[[nodiscard]] void* keeping_errno(Ask ask) noexcept {
  const int kept = errno;
  void* const pointer = ask();
  errno = pointer == nullptr ? ENOMEM : kept;
  return pointer;
}

}  // namespace bufpool::backing

#include "pool/backing/backing_mimalloc.h"
