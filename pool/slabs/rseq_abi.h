// SPDX-License-Identifier: MIT
// Declares the ABI of restartable sequences: the layouts that the kernel, libc and the sequences
// share, and the pointer by which this thread's sequences reach its area.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bufpool {

// This is Linux's own limit on x86-64. A visible slab is found by the CPU's number. The number
// kMaxCpus itself stands for a CPU that never has a slab, so a sequence on it always misses.
inline constexpr std::uint32_t kMaxCpus = 8192;

// The numbers -1 and -2 name no CPU either: the kernel writes -1 where an area is not registered,
// or not any more, and libc writes -2 where the kernel refused to register it. Sequences take the
// number as signed, and find no slab there.
inline constexpr std::uint32_t kNoCpus = 2;

// Lays out the front of the kernel's struct rseq. libc registers one for each thread.
struct alignas(32) RseqArea {
  std::uint32_t cpu_id_start;  // always a valid index
  std::uint32_t cpu_id;        // is 2^31 or more if the kernel does not serve this thread
  std::uint64_t rseq_cs;       // the address of the descriptor of the sequence under way
};
static_assert(offsetof(RseqArea, rseq_cs) == 8);

// Lays out the kernel's struct rseq_cs, which describes one sequence. The assembly of every
// sequence emits one, so the layout stands there, too.
struct alignas(32) RseqDescriptor {
  std::uint32_t version;  // 0
  std::uint32_t flags;    // 0
  std::uint64_t start;
  std::uint64_t bytes;  // from the start to behind the store that commits
  std::uint64_t abort;  // where an interrupted sequence goes on
};
static_assert(offsetof(RseqDescriptor, start) == 8 && offsetof(RseqDescriptor, bytes) == 16);
static_assert(offsetof(RseqDescriptor, abort) == 24 && sizeof(RseqDescriptor) == 32);

// The kernel wants these four bytes in front of an abort address. libc has registered this number
// (RSEQ_SIG of x86-64). The three bytes before it, the lowest first, make both together the
// instruction ud1, which traps.
inline constexpr std::uint32_t kRseqSignature = 0x53053053;
inline constexpr std::uint32_t kRseqTrap = 0x3db90f;

// Holds the distance of a CPU's slab from the empty slab. A distance of 0 is the empty slab itself:
// the CPU has no slab yet, or its slab is being drained.
using SlabDistance = std::uintptr_t;

// Points to this thread's area once the thread is attached. Before that it points to one that names
// kMaxCpus. It is a pointer rather than libc's offset, as it is set only after a look whether the
// kernel serves this thread.
extern constinit thread_local RseqArea* thread_area [[gnu::tls_model("initial-exec")]];

// This is an area of the thread's own that names kMaxCpus, for locked mode. Threads share no cache
// line by it.
extern constinit thread_local RseqArea area_without_cpu [[gnu::tls_model("initial-exec")]];

// Makes all sequences of this thread miss, from before a vfork until return_to_sequences(). The
// child runs as this thread, and the kernel may not serve it. Nothing attaches the thread
// meanwhile. Returns the area that return_to_sequences() is to be called with. Both take no lock,
// and a signal handler may call both.
[[nodiscard]] RseqArea* leave_sequences() noexcept;
void return_to_sequences(RseqArea* area) noexcept;

// Returns whether this thread is between these two calls.
[[nodiscard]] bool has_left_sequences() noexcept;

// Makes this thread one that is not attached.
void detach_thread() noexcept;

}  // namespace bufpool
