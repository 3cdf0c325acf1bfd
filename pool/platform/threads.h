// SPDX-License-Identifier: MIT
// This is the contract for threads: starting and ending one of this library's own, and what the
// kernel says of others. linux/threads.cpp implements it. No function allocates memory of this
// library's, and none changes errno.
#pragma once

#include <cstdint>

namespace bufpool::platform {

// Returns whether a thread may be started from a call that came from `caller`. It returns false if
// the address is libc's or the loader's, as they may hold locks of theirs, and if nothing is known
// of the address. It takes no lock.
[[nodiscard]] bool may_start_thread_from(const void* caller) noexcept;

// Returns whether two addresses are of one loaded file. It returns false if nothing is known of
// `code`. It takes no lock.
[[nodiscard]] bool are_in_one_file(const void* code, const void* other) noexcept;

// Finds out how large the stack of a thread has to be. It asks the loader. Pre: called at start,
// and not from where the loader may be at work.
void learn_thread_needs() noexcept;

// Runs body(argument) in a detached thread with a small stack and all signals blocked. Returns
// false if the kernel refuses, for now or for good, or if learn_thread_needs() has found out
// nothing. The thread is the program's as any other. The call needs little of the caller's stack.
// Pre: the body does not touch errno, and no other thread calls this at the time.
[[nodiscard]] bool start_thread(void* (*body)(void*), void* argument) noexcept;

// Gives this thread a table of descriptors of its own, with none in it. A file that it opens from
// now on takes no number from the program, and it keeps nothing of the program's open. Returns
// false where the kernel cannot (before Linux 5.9).
[[nodiscard]] bool leave_descriptors() noexcept;

// Gives this thread a name of at most 15 characters.
void name_thread(const char* name) noexcept;

// Ends this thread without libc. `status` becomes the process's if the thread is its last one.
[[noreturn]] void end_thread(int status) noexcept;

// Returns the number of this thread, as the kernel numbers it. A signal handler may call it.
[[nodiscard]] std::uint32_t thread_id() noexcept;

// Returns whether a thread of this process with this number has not ended yet. A signal handler may
// call it.
[[nodiscard]] bool thread_exists(std::uint32_t thread) noexcept;

// Says what became of the thread that main() runs in. It may end while the process goes on.
struct MainThread {
  bool has_ended;  // false where the kernel does not tell
  bool left_one;   // has_ended, and one other thread is left; false where no file tells
  int status;      // the status that it gave to exit(2); 0 where no file tells
};

// Notes that this thread is the main one. Pre: called at start, and in a forked child.
void note_main_thread() noexcept;

// Watches for the end of the main thread. One thread uses it. It has no destructor: the descriptors
// of a thread that has left the program's end with the thread.
class MainThreadWatch {
 public:
  constexpr MainThreadWatch() noexcept = default;
  MainThreadWatch(const MainThreadWatch&) = delete;
  MainThreadWatch& operator=(const MainThreadWatch&) = delete;

  // Opens the file that look() reads once the main thread has ended. It may be out of reach by
  // then: the program may have changed its root, or may have no descriptors left. Pre: this thread
  // has left the program's descriptors.
  void open() noexcept;

  // Returns what has become of the main thread. It makes no system call while that thread lives,
  // provided that the thread was noted. Pre: the thread has not ended by libc, which may reuse its
  // memory. It says nothing of use after it has said once that the thread has ended.
  [[nodiscard]] MainThread look() noexcept;

 private:
  int file_ = -1;
};

}  // namespace bufpool::platform
