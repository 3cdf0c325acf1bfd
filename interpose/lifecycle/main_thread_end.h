// SPDX-License-Identifier: MIT
// Sends the trimmer's thread away when the main thread ends alone, by pthread_exit or thrd_exit, by
// a cancel, or by the return of a thread that is a forked child's main one. The process then goes
// on until its last thread ends, and libc runs in that thread what was registered for the exit. A
// thread of this library must not be that one, nor delay it.
#pragma once

namespace bufpool {

// Watches the thread that calls it. Pre: it is the main one. It is called at start, and in a forked
// child, whose main thread is the one that forked.
void watch_end_of_main_thread() noexcept;

}  // namespace bufpool
