// SPDX-License-Identifier: MIT
// This is the contract for the stacks of threads: who called, and work that needs more stack than
// its caller may have. linux/stack.cpp implements it. The functions may be called before
// constructors, in a forked child and in a signal handler. They make no system call, take no lock,
// do not allocate, and do not change errno.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bufpool::platform {

// Calls work(argument) on the stack that ends in front of `top`, and returns when that returns. On
// processors other than x86-64 it calls it on the caller's own stack. The calls and returns are in
// pairs, so that a shadow stack of the processor's stays right. Pre: `top` is a multiple of 16, and
// no other thread uses that stack.
void call_on_stack(void* argument, void (*work)(void*) noexcept, std::byte* top) noexcept;

// Writes the return addresses of the calls that led here, the innermost first, without those that
// lead into this library from where it was entered last. Returns how many there are. It goes by the
// tables for exceptions, so it ends at code that has none, and needs two and a half KiB of stack.
// The first call of a process is to be made while it has one thread: it sets up a table.
[[nodiscard]] std::size_t call_stack(std::span<std::uint64_t> out) noexcept;

}  // namespace bufpool::platform
