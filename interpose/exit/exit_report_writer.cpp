// SPDX-License-Identifier: MIT
#include "interpose/exit/exit_report_writer.h"

#include <errno.h>

#include <algorithm>

#include "interpose/heap.h"
#include "pool/options/policy.h"
#include "pool/platform/clock.h"
#include "report/report.h"

namespace bufpool {
namespace {

void write_lines(std::string_view lines, LineSink sink) noexcept {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    sink(lines.substr(0, end));
    lines.remove_prefix(end + 1);
  }
}

}  // namespace

void ExitReportWriter::note_start() noexcept {
  started_ms_ = platform::coarse_milliseconds();
  const std::string_view name = program_invocation_short_name;
  name.copy(command_, sizeof command_ - 1);
}

std::string_view ExitReportWriter::command() const noexcept {
  return command_[0] != '\0' ? command_ : program_invocation_short_name;
}

// A library's constructor may report before the start is noted.
std::uint64_t ExitReportWriter::uptime_ms() const noexcept {
  const std::uint64_t since = std::max(started_ms_, the_pool.figures().forked_ms());
  return since == 0 ? 0 : platform::coarse_milliseconds() - since;
}

void ExitReportWriter::take_snapshot() noexcept {
  the_pool.figures().snapshot(snapshot_);
  snapshot_.passed_below = PassCounter::total();
  snapshot_.passed_above = Heap::passed_above();
  snapshot_.passed_within = Heap::passed_within();
}

// It is not inlined. Otherwise its variables would be on the stack together with those of
// take_snapshot(), and a signal handler's stack is small.
[[gnu::noinline]] int ExitReportWriter::write(const Destination& to, const Style& style,
                                              Unnoticed& unnoticed,
                                              std::string_view closing) noexcept {
  const Deadline whole = Deadline::in(to.whole_patience_ms);
  const auto calls = to.confined ? Outlet::Calls::kFew : Outlet::Calls::kAny;
  const Outlet outlet(to.descriptor, to.use, calls, whole);
  if (outlet.error() != 0) return outlet.error();
  if (!log_.is_prepared()) log_.prepare();
  log_.set_way(outlet.way(), Deadline::in(whole.left(), to.patience_ms));
  log_.gather(text_, unnoticed);
  auto write_line = [this](std::string_view line) noexcept { log_.write_line(line); };
  const ReportContext context{command(), BUFPOOL_VERSION, uptime_ms(),
                              the_pool.figures().cpu_cache_bytes(), style.detail};
  render(snapshot_, context, style.form, LineSink(write_line));
  if (style.watch != nullptr) {
    style.watch->look(snapshot_, context, style.form, LineSink(write_line));
  }
  write_lines(closing, LineSink(write_line));
  return log_.write_out();
}

}  // namespace bufpool
