// SPDX-License-Identifier: MIT
// Wraps prctl, which tells that a program is on its way to a filter of system calls.
#include <sys/prctl.h>

#include <cstdarg>
#include <tuple>

#include "interpose/export.h"
#include "interpose/heap.h"
#include "interpose/next_symbol.h"
#include "pool/platform/safe_calls.h"
#include "pool/sync/owner_lock.h"
#include "pool/sync/vforks.h"

namespace bufpool {
namespace {

constinit NextSymbol<int(int, ...) noexcept> next_prctl("prctl");

// A child of vfork gives up its own privileges before it executes another program. Its parent, in
// whose memory that would be noted, goes on as it was.
void note_step_to_filter() noexcept {
  const bool is_vfork_child = Vforks::is_in_one() && !OwnerLock::process_is_entered();
  if (is_vfork_child) return;
  the_pool.control().stats().settle_for_good();
  platform::expect_filter();
}

}  // namespace

void find_next_prctl() noexcept { std::ignore = next_prctl.get(); }

}  // namespace bufpool

// libc's prctl also reads four numbers if the caller passes fewer.
BUFPOOL_EXPORT int prctl(int option, ...) noexcept {
  if (option == PR_SET_NO_NEW_PRIVS || option == PR_SET_SECCOMP) {
    bufpool::note_step_to_filter();
  }
  va_list list;
  va_start(list, option);
  unsigned long numbers[4];
  for (unsigned long& number : numbers) number = va_arg(list, unsigned long);
  va_end(list);
  return bufpool::next_prctl.get()(option, numbers[0], numbers[1], numbers[2], numbers[3]);
}
