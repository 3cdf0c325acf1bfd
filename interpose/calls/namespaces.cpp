// SPDX-License-Identifier: MIT
// Wraps unshare and setns. The kernel refuses some of what they do, user namespaces above all, to a
// process of more than one thread. The second thread may be this library's.
#include <sched.h>

#include <cerrno>
#include <tuple>

#include "interpose/export.h"
#include "interpose/heap.h"
#include "interpose/next_symbol.h"

namespace bufpool {
namespace {

constinit NextSymbol<int(int) noexcept> next_unshare("unshare");
constinit NextSymbol<int(int, int) noexcept> next_setns("setns");

// A process of several threads may not leave or enter these namespaces and shares.
constexpr int kAlone =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWTIME | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
constexpr int kOfAnyKind = 0;

// EINVAL and EUSERS are the kernel's answers to a process of several threads. A call that succeeds
// at once does not end the trimmer: it may be one that a program makes often.
template <typename Call>
int call_alone_if_need_be(bool may_need_be, Call call) noexcept {
  const int kept = errno;
  const int first = call();
  if (first == 0 || !may_need_be || (errno != EINVAL && errno != EUSERS)) return first;
  const int error = errno;
  if (!the_pool.control().trimmer().step_aside()) {
    errno = error;
    return first;
  }
  errno = kept;
  const int second = call();
  the_pool.control().trimmer().come_back();
  return second;
}

}  // namespace

void find_next_namespace_calls() noexcept {
  std::ignore = next_unshare.get();
  std::ignore = next_setns.get();
}

}  // namespace bufpool

BUFPOOL_EXPORT int unshare(int flags) noexcept {
  return bufpool::call_alone_if_need_be((flags & bufpool::kAlone) != 0,
                                        [=] { return bufpool::next_unshare.get()(flags); });
}

BUFPOOL_EXPORT int setns(int descriptor, int kind) noexcept {
  return bufpool::call_alone_if_need_be(
      kind == bufpool::kOfAnyKind || (kind & bufpool::kAlone) != 0,
      [=] { return bufpool::next_setns.get()(descriptor, kind); });
}
