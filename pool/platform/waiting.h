// SPDX-License-Identifier: MIT
// This is the contract for how a thread waits. linux/threads.cpp implements it. Every function may
// be called before constructors, in a forked child and in a signal handler. None allocates, none
// changes errno, and none is a cancellation point.
#pragma once

#include <cstdint>

namespace bufpool::platform {

// Tells the processor that this thread is spinning.
void relax() noexcept;

// Sleeps while *word == expected, for a second at most. It may wake early.
void wait_on(const std::uint32_t* word, std::uint32_t expected) noexcept;

// Wakes one thread of this process that sleeps in wait_on(word).
void wake_one(const std::uint32_t* word) noexcept;

// Sleeps. It may wake early.
void sleep_for(std::uint32_t milliseconds) noexcept;

}  // namespace bufpool::platform
