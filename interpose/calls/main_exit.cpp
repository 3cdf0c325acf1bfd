// SPDX-License-Identifier: MIT
// Wraps the calls that may end the main thread alone: pthread_exit, thrd_exit and pthread_cancel.
// The process then goes on until its last thread ends, and libc runs in that thread what was
// registered for the exit. A thread of this library must not delay that.
#include <pthread.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include <tuple>

#include "interpose/export.h"
#include "interpose/heap.h"
#include "interpose/next_symbol.h"

namespace bufpool {
namespace {

constinit NextSymbol<void(void*)> next_pthread_exit("pthread_exit");
constinit NextSymbol<void(int)> next_thrd_exit("thrd_exit");
constinit NextSymbol<int(pthread_t)> next_pthread_cancel("pthread_cancel");
constinit pthread_t main_thread{};

void end_trimmer_with_main_thread() noexcept {
  if (syscall(SYS_gettid) == getpid()) the_pool.control().trimmer().leave_for_good();
}

}  // namespace

void find_next_thread_ends() noexcept {
  main_thread = pthread_self();
  std::ignore = next_pthread_exit.get();
  std::ignore = next_thrd_exit.get();
  std::ignore = next_pthread_cancel.get();
}

}  // namespace bufpool

// The unwinding of the thread's stack passes through here, so these functions may not be noexcept.
BUFPOOL_EXPORT void pthread_exit(void* result) {
  bufpool::end_trimmer_with_main_thread();
  bufpool::next_pthread_exit.get()(result);
  __builtin_unreachable();
}

BUFPOOL_EXPORT void thrd_exit(int result) {
  bufpool::end_trimmer_with_main_thread();
  bufpool::next_thrd_exit.get()(result);
  __builtin_unreachable();
}

// A thread that cancels itself may unwind from here.
BUFPOOL_EXPORT int pthread_cancel(pthread_t thread) {
  if (pthread_equal(thread, bufpool::main_thread) != 0) {
    bufpool::the_pool.control().trimmer().leave_for_good();
  }
  return bufpool::next_pthread_cancel.get()(thread);
}
