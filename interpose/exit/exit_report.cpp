// SPDX-License-Identifier: MIT
#include "interpose/exit/exit_report.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <tuple>

#include "interpose/exit/exit_report_target.h"
#include "interpose/exit/exit_report_writer.h"
#include "interpose/exit/stderr_at_start.h"
#include "interpose/heap.h"
#include "interpose/messages/message.h"
#include "interpose/messages/turn.h"
#include "pool/options/policy.h"
#include "pool/platform/safe_calls.h"
#include "pool/platform/stack.h"
#include "pool/sync/owner_lock.h"
#include "report/descriptor.h"

// glibc has this since 2.32.
#pragma weak strerrordesc_np

namespace bufpool {
namespace {

struct ExitReport {
  std::atomic<bool> written{false};
  Turn turn;
  ReportForm form = ReportForm::kText;
  std::uint64_t least_gets = 0;
  ExitReportTarget target;
  StderrAtStart own_stderr;
  // Only the thread whose turn it is uses the members below.
  ExitReportWriter writer;
  char path[PATH_MAX] = {};
  // The stack has five times the bytes that the longest way through the report needs. The program
  // may end on a coroutine's stack of a page, which is enough for libc's exit.
  alignas(16) std::byte stack[32 << 10] = {};
};

// It is all zero, as the pool is, so that it takes no page of the library's file.
constinit ExitReport state;

// Calls work() on the report's own stack. It stays on the caller's if the program may have a filter
// that traps. The handler of the trap may want the alternate stack, which the caller may be on
// already. The kernel would not see that, and would start at the top of it again. Pre: it is this
// thread's turn.
template <typename Work>
void with_stack(Work work) noexcept {
  if (platform::expects_filter()) return work();
  const auto call = [](void* argument) noexcept { (*static_cast<Work*>(argument))(); };
  platform::call_on_stack(&work, call, std::end(state.stack));
}

// Tells whether the program put a filter of its own on this thread since its start, or whether that
// is not known. A system call that the program did not make before may then end it.
bool is_confined() noexcept { return platform::safe_calls() == platform::SafeCalls::kFew; }

// Says in one line on stderr that the report failed. The reason comes first, because the path may
// be longer than the line.
[[gnu::noinline]] void tell_failure(int error, bool confined) noexcept {
  if (!state.own_stderr.is_there()) return;
  Message message;
  message.text("BUFPOOL_REPORT: the report cannot be written: ");
  const char* reason = &strerrordesc_np != nullptr ? strerrordesc_np(error) : nullptr;
  if (reason != nullptr) {
    message.text(reason);
  } else {
    message.text("error ").number(static_cast<std::uint64_t>(error));
  }
  message.text(": ").text(state.path);
  message.say(confined ? Message::Wait::kAsWritten : Message::Wait::kForRoom);
}

// Writes the report to its file. Returns 0, or the error. A pipe that nobody reads must not be
// waited for, neither here nor when it is full.
[[gnu::noinline]] int write_report_file(bool confined, Unnoticed& unnoticed) noexcept {
  const char* const path = state.target.path_now(state.writer.command(), state.path);
  if (path == nullptr) {
    state.path[0] = '\0';  // the name may have filled it
    return ENAMETOOLONG;
  }
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  Descriptor file(open(path, flags, 0644));
  if (!file.is_open()) return errno;
  const int error = state.writer.write(
      {file.number(), Outlet::Use::kOwn, confined, policy::kReportPatienceToBeginMs}, state.form,
      unnoticed);
  const int error_at_close = file.close();
  return error != 0 ? error : error_at_close;
}

void report_now(Unnoticed& unnoticed) noexcept {
  state.writer.take_snapshot();
  const bool confined = is_confined();
  if (state.target.kind() == ExitReportTarget::Kind::kFile) {
    const int error = write_report_file(confined, unnoticed);
    if (error != 0) tell_failure(error, confined);
  } else if (state.own_stderr.is_there()) {
    std::ignore = state.writer.write(
        {STDERR_FILENO, Outlet::Use::kShared, confined, policy::kReportPatienceToBeginMs},
        state.form, unnoticed);
  }
}

void print_now(std::string_view closing, Unnoticed& unnoticed) noexcept {
  state.writer.take_snapshot();
  std::ignore = state.writer.write(
      {STDERR_FILENO, Outlet::Use::kAsIs, is_confined(), policy::kReportPatienceMs},
      ReportForm::kText, unnoticed, closing);
}

// A process that uses no buffers has little to learn from a report. A process that makes many
// requests outside the range has something: the range should be another, or the pool is of no use
// to it.
bool is_worth_a_report() noexcept {
  const std::uint64_t least = state.least_gets;
  if (least == 0 || the_pool.figures().gets() >= least) return true;
  // There is no pool. That was said at start, or the user wished it.
  if (the_pool.figures().mode() == PoolMode::kPassThrough) return false;
  return Heap::passed_above() >= least ||
         PassCounter::total() / policy::kSmallRequestsPerGet >= least;
}

}  // namespace

void prepare_exit_report(const Options& options) noexcept {
  state.target.choose(options.report);
  state.form = options.report_format;
  state.least_gets = options.report_min;
  state.writer.note_start();
  if (state.target.kind() == ExitReportTarget::Kind::kOff) return;
  state.writer.prepare();
  state.own_stderr.remember();
}

void restart_report_in_child() noexcept {
  if (state.written) state.written = false;  // a page that is written has to be copied
  if (!state.turn.is_free()) state.turn.reset();
}

// It makes no system call if there is nothing to report, because a child may have locked itself in.
// A thread that comes while another one writes waits for it, because the end of the process would
// cut the report off.
void report_exit() noexcept {
  if (state.target.kind() == ExitReportTarget::Kind::kOff || !is_worth_a_report()) return;
  if (!OwnerLock::process_is_entered() || state.written) return;
  Unnoticed unnoticed;
  if (!state.turn.take()) return;
  if (!state.written) with_stack([&unnoticed]() noexcept { report_now(unnoticed); });
  state.written = true;
  state.turn.give();
}

void report_before_close() noexcept {
  if (state.target.kind() == ExitReportTarget::Kind::kStderr) report_exit();
}

void print_report(std::string_view closing) noexcept {
  Unnoticed unnoticed;
  if (!state.turn.take()) return;
  with_stack([&unnoticed, closing]() noexcept { print_now(closing, unnoticed); });
  state.turn.give();
}

}  // namespace bufpool
