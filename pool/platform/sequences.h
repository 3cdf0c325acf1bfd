// SPDX-License-Identifier: MIT
// This is the contract for restartable sequences: where the kernel keeps a thread's state, and how
// the sequences of another CPU are aborted. linux/sequences.cpp implements it. Every function may
// be called before constructors, in a forked child and in a signal handler. None allocates, and
// none changes errno.
//
// "Restart" is the kernel's word, and stands in names for that. The kernel aborts a sequence: it
// sends the thread to the abort address. Our sequences do not start over there, but miss.
#pragma once

#include <cstdint>

namespace bufpool::platform {

// Returns where the kernel keeps this thread's restartable-sequence state, as libc registered it,
// or nullptr if libc registered none.
[[nodiscard]] void* rseq_area() noexcept;

// Asks the kernel to be ready for restart_sequences(). A process of one thread waits least for the
// answer, so it is called at start.
void prepare_restarts() noexcept;

// Aborts every sequence that runs on `cpu` in this process. When it returns true, none that began
// before is under way. It returns false if the kernel cannot: then nothing may be assumed.
[[nodiscard]] bool restart_sequences(std::uint32_t cpu) noexcept;
// Does the same on all CPUs.
[[nodiscard]] bool restart_all_sequences() noexcept;

}  // namespace bufpool::platform
