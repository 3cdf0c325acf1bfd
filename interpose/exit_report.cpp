// SPDX-License-Identifier: MIT
#include "interpose/exit_report.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <climits>
#include <cstring>
#include <span>

#include "interpose/confinement.h"
#include "interpose/heap.h"
#include "interpose/message.h"
#include "interpose/turn.h"
#include "pool/platform/platform.h"
#include "pool/sync/owner_lock.h"
#include "report/exit_log.h"
#include "report/outlet.h"
#include "report/report.h"
#include "report/report_target.h"
#include "report/unnoticed.h"

// Absent before glibc 2.32.
#pragma weak strerrordesc_np

namespace bufpool {
namespace {

// The time for a report, from the wait for other processes to the last byte.
constexpr int kPatienceMs = 1000;

// The time for its first byte at exit, where a pipe is full and nobody seems to read it: a script
// may run many programs.
constexpr int kPatienceToBeginMs = 60;

// More than the longest report of all classes; a longer one would leave in two pieces.
constexpr std::size_t kReportBytes = 192 << 10;

struct ExitReport {
  bool enabled = false;
  bool to_stderr = false;
  std::atomic<bool> written{false};
  Turn turn;
  ReportForm form = ReportForm::kText;
  std::uint64_t least_gets = 0;
  std::uint64_t started_ms = 0;
  bool had_stderr = false;
  struct stat stderr_at_start = {};
  char command[NAME_MAX + 1] = {};
  char setting[PATH_MAX] = {};  // BUFPOOL_REPORT: the program may change its environment
  // The thread whose turn it is uses the members below, which are too large for a signal handler's
  // stack.
  ExitLog log;
  Snapshot snapshot = {};
  char path[PATH_MAX] = {};
  std::array<char, kReportBytes> text = {};
};

// All zero, so that it takes no page of the library's file, as is the pool.
constinit ExitReport state;

bool same_file(const struct stat& a, const struct stat& b) noexcept {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// No duplicate of stderr is kept: it would keep a pipe from ending and a terminal from closing when
// the program lets go of them. So descriptor 2 has to be what it was; if it is anything else, it
// may be a file of the program's that was opened after a close.
bool stderr_is_there() noexcept {
  struct stat now = {};
  if (!state.had_stderr) return false;
  if (fstat(STDERR_FILENO, &now) == 0) return same_file(now, state.stderr_at_start);
  // A program that has locked itself in may be refused the look, and cannot have opened anything.
  return errno != EBADF;
}

// The title of a process is its to change (nginx and others do), where libc's own pointer points.
void keep_command() noexcept {
  const std::string_view command = program_invocation_short_name;
  command.copy(state.command, sizeof state.command - 1);
}

std::string_view command() noexcept {
  return state.command[0] != '\0' ? state.command : program_invocation_short_name;
}

ReportTarget target() noexcept {
  const TargetNames names{platform::process_id(), command(),
                          static_cast<std::uint64_t>(time(nullptr))};
  return report_target(state.setting, names, state.path);
}

// In one line on stderr, with the reason first: the path may be longer than the line.
[[gnu::noinline]] void tell_failure(int error, bool confined) noexcept {
  if (!stderr_is_there()) return;
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

ReportContext context() noexcept {
  return {command(), BUFPOOL_VERSION, platform::coarse_milliseconds() - state.started_ms,
          the_pool.figures().cpu_cache_bytes()};
}

struct Destination {
  int descriptor;
  Outlet::Use use;
  bool confined;    // the program has locked itself in
  int patience_ms;  // up to the first byte
};

// Lines of text, each ended by a newline.
void write_lines(std::string_view lines, LineSink sink) noexcept {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    sink(lines.substr(0, end));
    lines.remove_prefix(end + 1);
  }
}

// `closing`: lines that follow the report. 0, or the error. Not inlined, so that its variables are
// not on the stack together with those of take_snapshot(): a signal handler's is small.
[[gnu::noinline]] int write_report(const Destination& to, ReportForm form, Unnoticed& unnoticed,
                                   std::string_view closing = {}) noexcept {
  const Deadline whole = Deadline::in(kPatienceMs);
  const auto calls = to.confined ? Outlet::Calls::kFew : Outlet::Calls::kAny;
  const Outlet outlet(to.descriptor, to.use, calls, whole);
  if (outlet.error() != 0) return outlet.error();
  if (!state.log.is_prepared()) state.log.prepare();
  state.log.set_way(outlet.way(), Deadline::in(whole.left(), to.patience_ms));
  state.log.gather(state.text, unnoticed);
  auto write_line = [](std::string_view line) noexcept { state.log.write_line(line); };
  render(state.snapshot, context(), form, LineSink(write_line));
  write_lines(closing, LineSink(write_line));
  return state.log.write_out();
}

// A pipe that nobody reads must not be waited for, neither here nor when it is full.
[[gnu::noinline]] int write_report_file(bool confined, Unnoticed& unnoticed) noexcept {
  const ReportTarget file = target();
  if (file.kind != ReportTarget::Kind::kFile) {
    state.path[0] = '\0';  // which the name may have filled
    return ENAMETOOLONG;
  }
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const int descriptor = open(file.path, flags, 0644);
  if (descriptor < 0) return errno;
  const int error = write_report({descriptor, Outlet::Use::kOwn, confined, kPatienceToBeginMs},
                                 state.form, unnoticed);
  return close(descriptor) != 0 && error == 0 ? errno : error;
}

void report_now(Unnoticed& unnoticed) noexcept {
  take_snapshot(state.snapshot);
  const bool confined = has_locked_itself_in();
  if (!state.to_stderr) {
    const int error = write_report_file(confined, unnoticed);
    if (error != 0) tell_failure(error, confined);
  } else if (stderr_is_there()) {
    write_report({STDERR_FILENO, Outlet::Use::kShared, confined, kPatienceToBeginMs}, state.form,
                 unnoticed);
  }
}

// Adds to the setting. False: it does not fit.
bool keep(std::string_view text) noexcept {
  const std::size_t length = std::strlen(state.setting);
  if (text.size() >= sizeof state.setting - length) return false;
  text.copy(state.setting + length, text.size());
  return true;
}

// Adds the current folder to the setting, if the kernel tells it. A percent sign in it begins no
// word, and is doubled for that.
bool keep_folder() noexcept {
  char folder[PATH_MAX];
  if (getcwd(folder, sizeof folder) == nullptr) return true;
  for (const char& c : std::string_view(folder)) {
    if (!keep(c == '%' ? "%%" : std::string_view(&c, 1))) return false;
  }
  return keep("/");
}

// A program may change its folder and its environment: the file is where the setting was made.
bool keep_setting(std::string_view setting) noexcept {
  char words[PATH_MAX];
  const auto kind = report_target(setting, {1, "c", 1}, words).kind;
  const bool relative = kind == ReportTarget::Kind::kFile && setting[0] != '/';
  return (!relative || keep_folder()) && keep(setting);
}

void choose_target(std::string_view setting) noexcept {
  using Kind = ReportTarget::Kind;
  char path[PATH_MAX];
  const bool kept = keep_setting(setting);
  const Kind kind = report_target(state.setting, {1, "c", 1}, path).kind;
  state.enabled = kept && kind != Kind::kOff && kind != Kind::kTooLong;
  state.to_stderr = kind == Kind::kStderr;
  if (!kept || kind == Kind::kTooLong) say("BUFPOOL_REPORT: the file name is too long");
}

// Few processes that use no buffers have anything to learn from a report, but one that makes many
// requests outside the range does: that the range should be another, or that the pool is of no use.
// Every command makes some thousand small ones.
bool is_worth_a_report() noexcept {
  constexpr std::uint64_t kSmallPerBuffer = 1000;
  const std::uint64_t least = state.least_gets;
  if (least == 0 || the_pool.figures().gets() >= least) return true;
  if (the_pool.figures().mode() == PoolMode::kPassThrough)
    return false;  // as was said at start, or wished
  return Heap::passed_above() >= least || PassCounter::total() / kSmallPerBuffer >= least;
}

}  // namespace

void take_snapshot(Snapshot& out) noexcept {
  the_pool.figures().snapshot(out);
  out.passed_below = PassCounter::total();
  out.passed_above = Heap::passed_above();
  out.passed_within = Heap::passed_within();
}

void prepare_exit_report(const Options& options) noexcept {
  choose_target(options.report);
  state.form = static_cast<ReportForm>(options.report_format);
  state.least_gets = options.report_min;
  state.started_ms = platform::coarse_milliseconds();
  keep_command();
  if (!state.enabled) return;
  state.log.prepare();
  state.had_stderr = fstat(STDERR_FILENO, &state.stderr_at_start) == 0;
}

void restart_report_in_child() noexcept {
  if (state.written) state.written = false;  // a page that is written is one to copy
  if (!state.turn.is_free()) state.turn.reset();
}

// Makes no system call where there is nothing to report: a child may have locked itself in. A
// thread that comes while another one writes waits for it, as the end of the process would cut the
// report off.
void report_exit() noexcept {
  if (!state.enabled || !is_worth_a_report()) return;
  if (!OwnerLock::process_is_entered() || state.written) return;
  Unnoticed unnoticed;
  if (!state.turn.take()) return;
  if (!state.written) report_now(unnoticed);
  state.written = true;
  state.turn.give();
}

void report_before_close() noexcept {
  if (state.to_stderr) report_exit();
}

void print_report(std::string_view closing) noexcept {
  Unnoticed unnoticed;
  if (!state.turn.take()) return;
  take_snapshot(state.snapshot);
  write_report({STDERR_FILENO, Outlet::Use::kAsIs, has_locked_itself_in(), kPatienceMs},
               ReportForm::kText, unnoticed, closing);
  state.turn.give();
}

}  // namespace bufpool
