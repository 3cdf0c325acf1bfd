// SPDX-License-Identifier: MIT
#include "interpose/exit_report.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstring>
#include <span>

#include "interpose/heap.h"
#include "interpose/message.h"
#include "pool/platform.h"
#include "report/exit_log.h"
#include "report/report.h"
#include "report/report_target.h"

namespace bufpool {
namespace {

// High enough to be out of the way of programs that choose numbers themselves (shells use 10 to
// 255), low enough for the usual limit of 1024.
constexpr int kLowestKept = 900;

struct ExitReport {
  bool enabled = false;
  bool to_stderr = false;
  ReportForm form = ReportForm::kText;
  std::uint64_t least_gets = 0;
  std::uint64_t cpu_cache = 0;
  std::uint64_t started_ms = 0;
  std::uint32_t process = 0;
  int kept_stderr = 0;  // 0: none
  struct stat stderr_at_start = {};
  std::atomic<bool> written{false};
  ExitLog log;
  char setting[PATH_MAX] = {};  // BUFPOOL_REPORT: the program may change its environment
  Snapshot snapshot = {};       // too large for a signal handler's stack
};

// All zero, so that it takes no page of the library's file, as is the pool.
constinit ExitReport state;

bool same_file(const struct stat& a, const struct stat& b) noexcept {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// coreutils close stderr before any destructor runs; a duplicate outlives that.
void keep_stderr() noexcept {
  if (fstat(STDERR_FILENO, &state.stderr_at_start) != 0) return;
  state.kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, kLowestKept);
  if (state.kept_stderr < 0) state.kept_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (state.kept_stderr < 0) state.kept_stderr = 0;
}

// Descriptor 2 may have become a log (a line more does no harm) or any other file (it would).
bool takes_lines(const struct stat& file) noexcept {
  if (S_ISCHR(file.st_mode) || S_ISFIFO(file.st_mode)) return true;
  return S_ISREG(file.st_mode) && (fcntl(STDERR_FILENO, F_GETFL) & O_APPEND) != 0;
}

int stderr_for_report() noexcept {
  struct stat now = {};
  const bool open = fstat(STDERR_FILENO, &now) == 0;
  // A program that has locked itself in may be refused the look: then the duplicate has to be
  // trusted, if its number is one that programs do not come to.
  if (!open && errno != EBADF) return state.kept_stderr >= kLowestKept ? state.kept_stderr : -1;
  if (open && same_file(now, state.stderr_at_start)) return STDERR_FILENO;
  struct stat kept = {};
  const bool have_kept = state.kept_stderr > 0 && fstat(state.kept_stderr, &kept) == 0;
  if (have_kept && same_file(kept, state.stderr_at_start)) return state.kept_stderr;
  return open && takes_lines(now) ? STDERR_FILENO : -1;
}

int open_report_file() noexcept {
  char path[PATH_MAX];
  const TargetNames names{platform::process_id(), program_invocation_short_name,
                          static_cast<std::uint64_t>(time(nullptr))};
  const ReportTarget target = report_target(state.setting, names, path);
  if (target.kind != ReportTarget::Kind::kFile) return -1;
  return open(target.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

ReportContext context() noexcept {
  return {program_invocation_short_name, BUFPOOL_VERSION,
          platform::coarse_milliseconds() - state.started_ms, state.cpu_cache};
}

void write_report(int descriptor, ReportForm form) noexcept {
  state.log.set_descriptor(descriptor);
  auto write_line = [](std::string_view line) noexcept { state.log.write_line(line); };
  render(state.snapshot, context(), form, LineSink(write_line));
}

// A program may change its folder and its environment: the file is where the setting was made.
void keep_setting(std::string_view setting) noexcept {
  std::size_t length = 0;
  char words[PATH_MAX];
  const auto kind = report_target(setting, {1, "c", 1}, words).kind;
  if (kind == ReportTarget::Kind::kFile && setting[0] != '/' &&
      getcwd(state.setting, sizeof state.setting - 1) != nullptr) {
    length = std::strlen(state.setting);
    state.setting[length++] = '/';
  }
  const std::size_t room = std::min(setting.size(), sizeof state.setting - 1 - length);
  std::memcpy(state.setting + length, setting.data(), room);
}

void check_target() noexcept {
  char path[PATH_MAX];
  const ReportTarget target = report_target(state.setting, {1, "c", 1}, path);
  state.enabled = target.kind != ReportTarget::Kind::kOff;
  state.to_stderr = target.kind == ReportTarget::Kind::kStderr;
  if (target.kind == ReportTarget::Kind::kTooLong) say("BUFPOOL_REPORT: the file name is too long");
  if (target.kind == ReportTarget::Kind::kUnknownWord) {
    say("BUFPOOL_REPORT: only %p, %c, %t and %% may follow a percent sign; no report");
    state.enabled = false;
  }
}

}  // namespace

void take_snapshot(Snapshot& out) noexcept {
  the_pool.snapshot(out);
  out.passed_below = PassCounter::total();
  out.passed_above = Heap::passed_above();
}

void prepare_exit_report(const Options& options) noexcept {
  keep_setting(options.report);
  state.form = static_cast<ReportForm>(options.report_format);
  state.least_gets = options.report_min;
  state.cpu_cache = options.cpu_cache;
  state.started_ms = platform::coarse_milliseconds();
  state.process = platform::process_id();
  check_target();
  if (!state.enabled) return;
  state.log.prepare();
  if (state.to_stderr) keep_stderr();
}

void restart_report_in_child() noexcept {
  state.process = platform::process_id();
  state.written.store(false, std::memory_order_relaxed);
  if (state.kept_stderr > 0) close(state.kept_stderr);
  state.kept_stderr = 0;
}

// Without a system call where there is nothing to report: a child may have locked itself in.
void report_exit() noexcept {
  if (!state.enabled || the_pool.gets() < state.least_gets) return;
  if (platform::process_id() != state.process || state.written.exchange(true)) return;
  take_snapshot(state.snapshot);
  const int kept_errno = errno;
  const int descriptor = state.to_stderr ? stderr_for_report() : open_report_file();
  if (descriptor >= 0) write_report(descriptor, state.form);
  if (descriptor >= 0 && !state.to_stderr) close(descriptor);
  errno = kept_errno;
}

void print_report() noexcept {
  static constinit ExitLog log;
  [[maybe_unused]] static const bool ready = (log.prepare(), true);
  static constinit Snapshot snapshot{};
  take_snapshot(snapshot);
  log.set_descriptor(STDERR_FILENO);
  auto write_line = [](std::string_view line) noexcept { log.write_line(line); };
  render(snapshot, context(), ReportForm::kText, LineSink(write_line));
}

}  // namespace bufpool
