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
  bool left_one;   // has_ended, and one other thread is left
  int status;      // the status that it gave to exit(2)
};

// Asks what has become of the main thread. One thread uses it. It has no destructor: the descriptor
// that it may hold ends with the thread.
class MainThreadWatch {
 public:
  // If `keeps_file`, the file that tells is opened now and stays open: it is read also when the
  // process has another root folder or a lower limit of descriptors by then. Pre for that: nobody
  // else closes its number or uses it again, as after leave_descriptors().
  explicit MainThreadWatch(bool keeps_file) noexcept;
  MainThreadWatch(const MainThreadWatch&) = delete;
  MainThreadWatch& operator=(const MainThreadWatch&) = delete;

  // Returns what has become of it. Where no file tells, the kernel says whether the thread has
  // ended, but neither its status nor whether others are left.
  [[nodiscard]] MainThread look() const noexcept;

 private:
  int file_ = -1;  // is below 0 if none is kept
};

}  // namespace bufpool::platform
