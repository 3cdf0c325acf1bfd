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
#include <optional>
#include <tuple>

#include "interpose/exit/exit_report_target.h"
#include "interpose/exit/exit_report_writer.h"
#include "interpose/exit/stderr_at_start.h"
#include "interpose/heap.h"
#include "interpose/messages/message.h"
#include "interpose/messages/turn.h"
#include "pool/options/policy.h"
#include "pool/platform/clock.h"
#include "pool/platform/safe_calls.h"
#include "pool/platform/stack.h"
#include "pool/sync/owner_lock.h"
#include "report/activity.h"
#include "report/descriptor.h"

// glibc has this since 2.32.
#pragma weak strerrordesc_np

namespace bufpool {
namespace {

struct ExitReport {
  std::atomic<bool> written{false};
  Turn turn;
  ExitReportWriter::Style style{};
  std::optional<std::uint64_t> least_gets;
  ExitReportTarget target;
  StderrAtStart own_stderr;
  // Only the thread whose turn it is uses the members below.
  ExitReportWriter writer;
  char path[PATH_MAX] = {};
  PeriodWatch watch;
  std::uint64_t period_ms = 0;    // 0: reports at exit only
  std::uint64_t reported_ms = 0;  // by the trimmer's thread; its own
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
[[gnu::noinline]] int write_report_file(ExitReportWriter::Destination to,
                                        const ExitReportWriter::Style& style,
                                        Unnoticed& unnoticed) noexcept {
  const char* const path = state.target.path_now(state.writer.command(), state.path);
  if (path == nullptr) {
    state.path[0] = '\0';  // the name may have filled it
    return ENAMETOOLONG;
  }
  if (state.target.folder_error() != 0) return state.target.folder_error();
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  Descriptor file(open(path, flags, 0644));
  if (!file.is_open()) return errno;
  to.descriptor = file.number();
  const int error = state.writer.write(to, style, unnoticed);
  const int error_at_close = file.close();
  return error != 0 ? error : error_at_close;
}

void report_now(Unnoticed& unnoticed) noexcept {
  state.writer.take_snapshot();
  const bool confined = is_confined();
  if (state.target.kind() == ExitReportTarget::Kind::kFile) {
    const int error =
        write_report_file({-1, Outlet::Use::kOwn, confined, policy::kReportPatienceToBeginMs},
                          state.style, unnoticed);
    if (error != 0) tell_failure(error, confined);
  } else if (state.own_stderr.is_there()) {
    std::ignore = state.writer.write(
        {STDERR_FILENO, Outlet::Use::kShared, confined, policy::kReportPatienceToBeginMs},
        state.style, unnoticed);
  }
}

// Writes a report of now. Returns 0, or the error. Pre: it is this thread's turn.
int write_now(int descriptor, const ExitReportWriter::Style& style, std::string_view closing,
              Unnoticed& unnoticed) noexcept {
  state.writer.take_snapshot();
  return state.writer.write(
      {descriptor, Outlet::Use::kAsIs, is_confined(), policy::kReportPatienceMs}, style, unnoticed,
      closing);
}

// Appends a report of now to the file. Returns 0, or the error. Pre: it is this thread's turn, and
// it is not confined.
int append(const ExitReportWriter::Style& style, Unnoticed& unnoticed) noexcept {
  state.writer.take_snapshot();
  return write_report_file({-1, Outlet::Use::kOwn, false, 0, 0}, style, unnoticed);
}

// A report that cannot be written is not told here: this thread does not have the program's stderr.
// That of the exit is told, if it cannot be written either. Where the program has put a filter of
// system calls on this thread, too, there is none: the filter may kill for it.
void append_now(Unnoticed& unnoticed) noexcept {
  if (is_confined()) return;
  ExitReportWriter::Style style = state.style;
  style.watch = &state.watch;
  std::ignore = append(style, unnoticed);
}

// A process that uses no buffers has little to learn from a report. A process that makes many
// requests outside the range has something: the range should be another, or the pool is of no use
// to it.
bool is_worth_a_report() noexcept {
  const Activity activity{the_pool.figures().gets(), PassCounter::total(), Heap::passed_above()};
  const bool wanted_of_all = state.least_gets == 0U;
  // There is no pool. That was said at start, or the user wished it.
  if (the_pool.figures().mode() == PoolMode::kPassThrough && !wanted_of_all) return false;
  const Worth worth = worth_of_report(activity, state.least_gets);
  if (worth != Worth::kIfLongOrLarge) return worth == Worth::kReport;
  return state.writer.uptime_ms() >= kShortLifeMs ||
         the_pool.figures().reserved_bytes() >= kMuchMapped;
}

}  // namespace

void prepare_exit_report(const Options& options) noexcept {
  state.target.choose(options.report);
  state.style = {options.report_format, options.report_detail};
  state.least_gets = options.report_min;
  const bool has_file = state.target.kind() == ExitReportTarget::Kind::kFile;
  if (has_file && !state.least_gets) state.least_gets = kLeastGetsForAFile;
  state.writer.note_start();
  const bool is_off = state.target.kind() == ExitReportTarget::Kind::kOff;
  if (options.verbose || !is_off) state.own_stderr.remember();
  if (is_off) return;
  state.writer.prepare();
  state.period_ms = options.report_every;
  state.reported_ms = platform::coarse_milliseconds();
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

bool has_own_stderr() noexcept { return state.own_stderr.is_there(); }

bool reports_to_a_file() noexcept { return state.target.kind() == ExitReportTarget::Kind::kFile; }

bool reports_while_it_runs() noexcept { return state.period_ms != 0 && reports_to_a_file(); }

void report_if_due() noexcept {
  const std::uint64_t now = platform::coarse_milliseconds();
  if (now - state.reported_ms < state.period_ms) return;
  state.reported_ms = now;
  Unnoticed unnoticed;
  if (!state.turn.take()) return;
  if (!state.written) append_now(unnoticed);
  state.turn.give();
}

bool append_report() noexcept {
  Unnoticed unnoticed;
  if (is_confined() || !state.turn.take()) return false;
  const bool appended = !state.written && append(state.style, unnoticed) == 0;
  state.turn.give();
  return appended;
}

int write_report(int descriptor, ReportForm form, ReportDetail detail,
                 std::string_view closing) noexcept {
  int error = EBUSY;
  Unnoticed unnoticed;
  if (!state.turn.take()) return error;
  const ExitReportWriter::Style style{form, detail};
  with_stack([&]() noexcept { error = write_now(descriptor, style, closing, unnoticed); });
  state.turn.give();
  return error;
}

}  // namespace bufpool
