// SPDX-License-Identifier: MIT
// This is the contract for pages: mapping them, giving their memory back, moving them, and huge
// ones. linux/memory.cpp implements it. Every function may be called before constructors, in a
// forked child and in a signal handler. None allocates, and none changes errno.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/platform/safe_calls.h"

namespace bufpool::platform {

// A page has so many bytes. map_at() refuses where the kernel has pages of another size.
inline constexpr std::size_t kPageBytes = 4096;

// Return the address rounded up and down to the start of a page.
constexpr std::uintptr_t page_above(std::uintptr_t address) noexcept {
  return (address + kPageBytes - 1) & ~(kPageBytes - 1);
}
constexpr std::uintptr_t page_below(std::uintptr_t address) noexcept {
  return address & ~(kPageBytes - 1);
}

// Maps fresh zeroed memory at an address that the kernel chooses. Returns nullptr where the kernel
// refuses.
[[nodiscard]] void* map(std::size_t bytes) noexcept;

// Maps a page of fresh zeroed memory, which reads as zero in each process that has a copy of this
// one's memory: a child by fork, and by whatever else copies. Returns nullptr where the kernel
// refuses or has no such pages (before Linux 4.14).
[[nodiscard]] void* map_wiped_in_copies() noexcept;

// Maps fresh zeroed memory at the address `start`. Nothing has changed unless it returns kYes. Pre:
// `start` is the start of a page, and `bytes` is a number of whole pages.
enum class Mapped : std::uint8_t {
  kYes,
  kOccupied,  // something is mapped there already
  kRefused,   // RLIMIT_AS, RLIMIT_DATA, strict overcommit, too many mappings, or other page sizes
};
[[nodiscard]] Mapped map_at(void* start, std::size_t bytes) noexcept;

// Maps fresh zeroed memory in the place of whatever is mapped there. Returns false where the kernel
// refuses: then the range is as before, or nothing is mapped there. Pre: `start` is the start of a
// page, and `bytes` is a number of whole pages.
[[nodiscard]] bool map_over(void* start, std::size_t bytes) noexcept;

// Returns whether the kernel would give the program so much memory by its rules of overcommitment
// (vm.overcommit_memory) and by its limits. Memory that is mapped without a reservation is not held
// to the former. It makes two system calls.
[[nodiscard]] bool would_be_granted(std::size_t bytes) noexcept;

// Unmaps what map() or map_at() mapped. A refusal of the kernel is not told.
void unreserve(void* start, std::size_t bytes) noexcept;

// Unmaps what map() or map_at() mapped. Returns false where the kernel refuses: then all is mapped
// as before.
[[nodiscard]] bool unmap(void* start, std::size_t bytes) noexcept;

// Makes reserved pages readable and writable. They read as zero. Doing it twice is harmless.
// Returns false where the kernel refuses (RLIMIT_AS, RLIMIT_DATA, strict overcommit). Some of the
// first pages may be readable and writable all the same then.
[[nodiscard]] bool commit(void* start, std::size_t bytes) noexcept;

// Returns whether this thread may write to the word. If it may, the word is overwritten.
[[nodiscard]] bool is_writable(std::uint64_t* word) noexcept;

// Gives the memory of the pages back. They read as zero from then on. Returns false where the
// kernel refuses (mlock, a filter). Some of the pages may have gone all the same, and read as zero.
[[nodiscard]] bool purge(void* start, std::size_t bytes) noexcept;

// Makes pages writable without mprotect, for where a filter of system calls refuses that. Pages
// that may be written already keep their contents. All others are mapped anew and read as zero.
// Returns false if the kernel refuses this, too: some of the pages may be writable then. Pre:
// nothing that is needed is on a page that may not be written.
[[nodiscard]] bool make_writable(void* start, std::size_t bytes) noexcept;

// Returns false if a filter of system calls forbids purge() to this thread for good.
[[nodiscard]] bool may_purge() noexcept;

// Moves the pages of [start, start + bytes) to `to`. The old range then reads as zero. Pre: the
// range at `to` is the caller's, and the page behind the old range is mapped. The kernel refuses
// before Linux 5.7, under filters, and for pages that the program locked or protected in parts. The
// pages are then where they were.
enum class Moved : std::uint8_t {
  kYes,
  kNo,    // the range at `to` is fresh memory, or as it was
  kLost,  // the range at `to` may be anybody's: the caller must not use it again
};
[[nodiscard]] Moved move_pages(void* start, std::size_t bytes, void* to) noexcept;

// Holds the whole pages of [start, start + bytes) that move_contents() does not touch. The last
// byte is on a page that is copied.
struct PagesToMove {
  // Finds the pages. Pre: bytes > 0.
  PagesToMove(const void* start, std::size_t bytes) noexcept
      : first(page_above(reinterpret_cast<std::uintptr_t>(start))),
        last(page_below(reinterpret_cast<std::uintptr_t>(start) + bytes - 1)) {}

  std::uintptr_t first;
  std::uintptr_t last;
};

// Says what move_contents() did.
struct ContentsMoved {
  Moved how;
  bool in_pieces;  // what is at `to` lies in more mappings than a move of its own makes
};

// Moves the first `bytes` bytes at `from` to `to`: whole pages as move_pages() does, mapping by
// mapping, and the bytes at both ends by a copy. Pages that the kernel refuses to move behind those
// of the first mapping are copied; if there are many mappings, or it refuses the first, the answer
// is kNo. Where it is not kYes `from` holds what it held. Pre: both lie at the same place in their
// pages, and the bytes are two pages and more.
[[nodiscard]] ContentsMoved move_contents(void* from, void* to, std::size_t bytes) noexcept;

// Asks for huge pages in mapped pages. Returns false where the kernel refuses (too many mappings, a
// filter of system calls) or has none.
[[nodiscard]] bool want_huge_pages(void* start, std::size_t bytes) noexcept;

// Asks for small pages in mapped pages from now on. Huge ones that are there stay. It fails as
// want_huge_pages() does.
[[nodiscard]] bool want_small_pages(void* start, std::size_t bytes) noexcept;

// Makes small pages of each huge one that lies in the range in part. A refusal changes nothing and
// is not told.
void split_huge_pages(void* start, std::size_t bytes) noexcept;

// Sets the lowest bit of resident[i] where page i from `start` on is resident. Returns false where
// the kernel does not tell. `safe` says which calls may be made for the question. Pre: the pages
// are mapped, and `safe` is not SafeCalls::kFew.
[[nodiscard]] bool see_resident(std::uintptr_t start, std::size_t pages, unsigned char* resident,
                                SafeCalls safe) noexcept;

}  // namespace bufpool::platform
