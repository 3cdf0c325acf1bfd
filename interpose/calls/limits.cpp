// SPDX-License-Identifier: MIT
// Wraps setrlimit and prlimit, by which a program limits its own memory after the start. The
// library does not ask for the limit later, because a program that has set a filter of system calls
// may be killed for that.
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <tuple>

#include "interpose/export.h"
#include "interpose/next_symbol.h"
#include "interpose/thread_space.h"
#include "pool/platform/process.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {
namespace {

constinit NextSymbol<int(__rlimit_resource_t, const rlimit*) noexcept> next_setrlimit("setrlimit");
constinit NextSymbol<int(__rlimit_resource_t, const rlimit64*) noexcept> next_setrlimit64(
    "setrlimit64");
constinit NextSymbol<int(pid_t, __rlimit_resource, const rlimit*, rlimit*) noexcept> next_prlimit(
    "prlimit");
constinit NextSymbol<int(pid_t, __rlimit_resource, const rlimit64*, rlimit64*) noexcept>
    next_prlimit64("prlimit64");

bool limits_memory(int resource) noexcept {
  return resource == RLIMIT_AS || resource == RLIMIT_DATA;
}

// Notes the new limit if the call that set it succeeded, and returns `result`. A vfork child notes
// none: its limit is its own, but its memory is its parent's.
template <typename Limit>
int noting(int result, int resource, const Limit* limit) noexcept {
  if (result != 0 || !limits_memory(resource) || limit == nullptr) return result;
  if (!OwnerLock::process_is_entered()) return result;
  const std::size_t bytes = limit->rlim_cur == RLIM_INFINITY ? SIZE_MAX : limit->rlim_cur;
  if (resource == RLIMIT_AS) ThreadSpace::set_addresses_later(bytes);
  if (resource == RLIMIT_DATA) ThreadSpace::set_data_later(bytes);
  return result;
}

bool is_this_process(pid_t process) noexcept {
  return process == 0 || static_cast<std::uint32_t>(process) == platform::process_id();
}

// Calls prlimit, and notes the new limit of this process. `limit` and `old` may be the same
// address, which holds the old limit after the call.
template <typename Next, typename Limit>
int call_prlimit(Next next, pid_t process, __rlimit_resource resource, const Limit* limit,
                 Limit* old) noexcept {
  if (!limits_memory(resource) || limit == nullptr || !is_this_process(process)) {
    return next(process, resource, limit, old);
  }
  // The kernel refuses a bad address. So nothing is read of it before the call.
  if (limit != old) return noting(next(process, resource, limit, old), resource, limit);
  const Limit wanted = *limit;
  return noting(next(process, resource, &wanted, old), resource, &wanted);
}

}  // namespace

void find_next_limit_calls() noexcept {
  std::ignore = next_setrlimit.get();
  std::ignore = next_setrlimit64.get();
  std::ignore = next_prlimit.get();
  std::ignore = next_prlimit64.get();
}

}  // namespace bufpool

BUFPOOL_EXPORT int setrlimit(__rlimit_resource_t resource, const rlimit* limit) noexcept {
  return bufpool::noting(bufpool::next_setrlimit.get()(resource, limit), resource, limit);
}

BUFPOOL_EXPORT int setrlimit64(__rlimit_resource_t resource, const rlimit64* limit) noexcept {
  return bufpool::noting(bufpool::next_setrlimit64.get()(resource, limit), resource, limit);
}

BUFPOOL_EXPORT int prlimit(pid_t process, __rlimit_resource resource, const rlimit* limit,
                           rlimit* old) noexcept {
  return bufpool::call_prlimit(bufpool::next_prlimit.get(), process, resource, limit, old);
}

BUFPOOL_EXPORT int prlimit64(pid_t process, __rlimit_resource resource, const rlimit64* limit,
                             rlimit64* old) noexcept {
  return bufpool::call_prlimit(bufpool::next_prlimit64.get(), process, resource, limit, old);
}
