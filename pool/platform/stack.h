// SPDX-License-Identifier: MIT
// This is the contract for work that needs more stack than its caller may have. linux/stack.cpp
// implements it. The function may be called before constructors, in a forked child and in a signal
// handler. It makes no system call, does not allocate, and does not change errno.
#pragma once

#include <cstddef>

namespace bufpool::platform {

// Calls work(argument) on the stack that ends in front of `top`, and returns when that returns. On
// processors other than x86-64 it calls it on the caller's own stack. The calls and returns are in
// pairs, so that a shadow stack of the processor's stays right. Pre: `top` is a multiple of 16, and
// no other thread uses that stack.
void call_on_stack(void* argument, void (*work)(void*) noexcept, std::byte* top) noexcept;

}  // namespace bufpool::platform
