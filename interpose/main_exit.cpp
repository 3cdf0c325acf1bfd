// SPDX-License-Identifier: MIT
// pthread_exit of the main thread: the process goes on until its last thread ends, in which libc
// then runs what was registered for the exit. A thread of this library must not keep it from that.
#include <sys/syscall.h>
#include <unistd.h>

#include <tuple>

#include "interpose/heap.h"
#include "interpose/next_symbol.h"

namespace bufpool {
namespace {

constinit NextSymbol<void(void*)> next_pthread_exit("pthread_exit");

}  // namespace

void find_next_pthread_exit() noexcept { std::ignore = next_pthread_exit.get(); }

}  // namespace bufpool

// The unwinding of the thread's stack passes through here, so this function may not be noexcept.
extern "C" [[gnu::visibility("default")]] void pthread_exit(void* result) {
  if (syscall(SYS_gettid) == getpid()) bufpool::the_pool.end_trimmer();
  bufpool::next_pthread_exit.get()(result);
  __builtin_unreachable();
}
