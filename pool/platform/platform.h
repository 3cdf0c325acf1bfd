// SPDX-License-Identifier: MIT
// The contract with the operating system; the folder linux is its one implementation. Every
// function may be called before constructors, in a forked child and from a signal handler; none
// allocates, and none changes errno.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool::platform {

inline constexpr std::size_t kPageBytes = 4096;  // checked against the kernel's at start

constexpr std::uintptr_t page_above(std::uintptr_t address) noexcept {
  return (address + kPageBytes - 1) & ~(kPageBytes - 1);
}
constexpr std::uintptr_t page_below(std::uintptr_t address) noexcept {
  return address & ~(kPageBytes - 1);
}

// Gives back what map() or map_at() made.
void unreserve(void* start, std::size_t bytes) noexcept;

// The same, for whoever needs to know: false: the kernel refuses, and all is mapped as before.
[[nodiscard]] bool unmap(void* start, std::size_t bytes) noexcept;

// Fresh zeroed memory at a place of the caller's choice. Where it is not kYes nothing changed.
// Pre: `start` is a page's, `bytes` whole pages.
enum class Mapped : std::uint8_t {
  kYes,
  kOccupied,  // something is mapped there already
  kRefused,   // RLIMIT_AS, RLIMIT_DATA, strict overcommit, too many mappings
};
[[nodiscard]] Mapped map_at(void* start, std::size_t bytes) noexcept;

// The same in the place of whatever is mapped there. False: refused; what is there is as before, or
// nothing is.
[[nodiscard]] bool map_over(void* start, std::size_t bytes) noexcept;

// Makes reserved pages readable and writable; they read as zero. Doing it twice is harmless.
// False: the kernel refused (RLIMIT_AS, RLIMIT_DATA, strict overcommit); some of the first pages
// may be readable and writable all the same.
[[nodiscard]] bool commit(void* start, std::size_t bytes) noexcept;

// Whether this thread may write the word. If so, it is overwritten.
[[nodiscard]] bool is_writable(std::uint64_t* word) noexcept;

// Gives the pages' memory back; they read as zero from then on. False: refused (mlock); some of the
// pages may have gone all the same, and read as zero.
[[nodiscard]] bool purge(void* start, std::size_t bytes) noexcept;

// False: purge() is forbidden to this thread for good, by a filter of system calls.
[[nodiscard]] bool may_purge() noexcept;

// Moves the pages of [start, start + bytes), which then reads as zero, to `to`, a range that is
// the caller's. Pre: the page behind those is mapped. Refused before Linux 5.7, by filters, and for
// pages that the program locked or protected in parts; the pages are then where they were.
enum class Moved : std::uint8_t {
  kYes,
  kNo,    // `to` is reserved, or as it was
  kLost,  // what is at `to` is not known: the range is not to be used again
};
[[nodiscard]] Moved move_pages(void* start, std::size_t bytes, void* to) noexcept;

// Asks for huge pages in mapped pages, or for none from now on; those that are there stay. False:
// refused (too many mappings, a filter of system calls), or the kernel has none.
[[nodiscard]] bool want_huge_pages(void* start, std::size_t bytes) noexcept;
[[nodiscard]] bool want_small_pages(void* start, std::size_t bytes) noexcept;

// Makes small pages of a huge one that lies in the range in part, where the kernel can.
void split_huge_pages(void* start, std::size_t bytes) noexcept;

// Fresh zeroed memory. nullptr: not to be had.
[[nodiscard]] void* map(std::size_t bytes) noexcept;

// Bytes of address space this process may map; SIZE_MAX where there is no limit.
[[nodiscard]] std::size_t address_space_limit() noexcept;

// Bytes of address space this process has mapped; 0 where the kernel does not tell. Reads a file.
[[nodiscard]] std::size_t address_space_used() noexcept;

// Resident bytes of this process; 0 where the kernel does not tell.
[[nodiscard]] std::size_t resident_bytes() noexcept;

// CPUs this process may run on now, at least 1.
[[nodiscard]] std::uint32_t usable_cpus() noexcept;

// A number that differs from process to process and cannot be guessed.
[[nodiscard]] std::uint64_t process_secret() noexcept;

[[nodiscard]] std::uint32_t process_id() noexcept;

// A coarse clock that only goes forward, in milliseconds. It is the kernel's, which a library that
// is preloaded does not stop.
[[nodiscard]] std::uint64_t coarse_milliseconds() noexcept;

// The same in 32 bits, as threads share times (pool/sync/moment.h).
[[nodiscard]] inline std::uint32_t now_ms() noexcept {
  return static_cast<std::uint32_t>(coarse_milliseconds());
}

// Tells the processor that this thread is spinning.
void relax() noexcept;

// Sleeps while *word == expected, for a second at most; may wake early.
void wait_on(const std::uint32_t* word, std::uint32_t expected) noexcept;
void wake_one(const std::uint32_t* word) noexcept;

// Whether a thread may be started from a call that came from `caller`: not where libc or the loader
// called us, as they may hold locks of theirs, nor from an address that nothing is known of.
[[nodiscard]] bool may_start_thread_from(const void* caller) noexcept;

// Finds out how large the stack of a thread has to be. Asks the loader: to be called at start, and
// not from where the loader may be at work.
void learn_thread_needs() noexcept;

// Runs body(argument) in a detached thread of its own with a small stack and all signals blocked.
// False: refused, for now or for good, or its needs are not known yet. The thread is the program's
// as any other; the body must not touch errno.
[[nodiscard]] bool start_thread(void* (*body)(void*), void* argument) noexcept;

// Gives this thread a table of descriptors of its own, with none in it: what it opens from now on
// takes no number from the program, and it keeps nothing of the program's open. False: the kernel
// cannot (before Linux 5.9).
[[nodiscard]] bool leave_descriptors() noexcept;

// The calling thread, as the kernel numbers it.
[[nodiscard]] std::uint32_t thread_id() noexcept;

// Whether a thread of this process with this number has not ended yet.
[[nodiscard]] bool thread_exists(std::uint32_t thread) noexcept;

// The thread that main() runs in, while the process goes on without it.
struct MainThread {
  bool has_ended;  // false where the kernel does not tell
  bool left_one;   // has_ended, and one other thread is left
  int status;      // what it gave to exit(2)
};
[[nodiscard]] MainThread main_thread() noexcept;

// Ends the calling thread without libc. The status is the process's if it is the last one.
[[noreturn]] void end_thread(int status) noexcept;

// Sleeps; may wake early. It is no cancellation point.
void sleep_for(std::uint32_t milliseconds) noexcept;

// At most 15 characters.
void name_thread(const char* name) noexcept;

// Where the kernel keeps this thread's restartable-sequence state, as libc registered it; nullptr
// where there is none.
[[nodiscard]] void* rseq_area() noexcept;

// Asks the kernel to be ready for restart_sequences(), which a process of one thread waits for
// least.
void prepare_restarts() noexcept;

// Restarts every sequence that runs on `cpu` in this process and returns when none that began
// before is under way. False: the kernel cannot, and nothing may be assumed.
[[nodiscard]] bool restart_sequences(std::uint32_t cpu) noexcept;

}  // namespace bufpool::platform
