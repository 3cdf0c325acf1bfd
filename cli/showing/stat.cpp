// SPDX-License-Identifier: MIT
// `bufpool stat`: rows of figures over time, as vmstat prints them.
#include <time.h>

#include <cstdio>
#include <memory>

#include "cli/figures/rates.h"
#include "cli/figures/target.h"
#include "cli/formatted.h"
#include "cli/processes/process_watch.h"
#include "cli/texts/sizes.h"
#include "cli/texts/table.h"
#include "cli/verbs.h"

namespace bufpool {
namespace {

struct Options {
  std::string target;
  std::uint64_t interval_ms = 0;
  std::uint64_t count = 0;
  bool is_timed = false;
};

std::vector<Heading> headings(bool is_timed) {
  constexpr std::size_t kWidth = 8;
  std::vector<Heading> all;
  if (is_timed) all.push_back({"time", Align::kLeft, kWidth});
  for (const std::string_view text : {"gets/s", "hit%", "misses/s", "fallb/s", "in use", "idle",
                                      "rss", "purged/s", "faulted/s"}) {
    all.push_back({text, Align::kRight, kWidth});
  }
  return all;
}

std::string clock_text(std::uint64_t time_ms) {
  const auto seconds = static_cast<time_t>(time_ms / 1000);
  tm parts{};
  localtime_r(&seconds, &parts);
  return formatted("{:02}:{:02}:{:02}", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string row_text(const Options& options, const Sums& before, const Sums& now,
                     std::uint64_t elapsed_ms, std::uint64_t time_ms) {
  const auto rate = [&](std::uint64_t Sums::*sum) {
    return per_second(growth(before.*sum, now.*sum), elapsed_ms);
  };
  Table table(headings(options.is_timed));
  std::vector<std::string> cells;
  if (options.is_timed) cells.push_back(clock_text(time_ms));
  cells.push_back(short_count(rate(&Sums::gets)));
  cells.push_back(percent_text(growth(before.hits, now.hits), growth(before.gets, now.gets)));
  cells.push_back(short_count(rate(&Sums::misses)));
  cells.push_back(short_count(rate(&Sums::fallbacks)));
  cells.push_back(short_bytes(now.in_use_bytes));
  cells.push_back(short_bytes(now.idle_bytes));
  cells.push_back(short_bytes(now.resident_bytes));
  cells.push_back(short_bytes(rate(&Sums::purged_bytes)));
  cells.push_back(short_bytes(rate(&Sums::faulted_bytes)));
  table.add(std::move(cells));
  return table.row_line(0);
}

// A row, and what the next one is compared with.
class Rows {
 public:
  explicit Rows(const Options& options) : options_(options) {}

  // The first row is about the whole time since the start, as that of vmstat.
  void add(const Sample& now) {
    constexpr std::uint64_t kRowsAHeading = 20;
    const Sums sums = sums_of(now.snapshot);
    const std::uint64_t elapsed_ms = count_ == 0 ? now.uptime_ms : growth(before_ms_, now.time_ms);
    if (count_ % kRowsAHeading == 0) {
      print_out("{}\n", bold(Table(headings(options_.is_timed)).heading_line()));
    }
    print_out("{}\n", row_text(options_, before_, sums, elapsed_ms, now.time_ms));
    std::fflush(stdout);
    before_ = sums;
    before_ms_ = now.time_ms;
    ++count_;
  }

  [[nodiscard]] bool are_all() const {
    return options_.interval_ms == 0 || count_ == options_.count;
  }

 private:
  const Options& options_;
  Sums before_;
  std::uint64_t before_ms_ = 0;
  std::uint64_t count_ = 0;
};

ExitCode stat_process(const Options& options) {
  const pid_t pid = pid_of(options.target);
  const ProcessWatch watch(pid);
  PooledProcess process = process_or_fail(pid);
  Rows rows(options);
  for (;;) {
    rows.add(sample_of(process.page, process.info));
    if (rows.are_all()) return ExitCode::kGood;
    if (!watch.wait(options.interval_ms)) break;
    Found found = find_process(pid);
    if (!found.process) break;
    process = std::move(*found.process);
  }
  print_error("bufpool stat: process {} has ended\n", pid);
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.required("process", options->target, "a process's number or name");
  arguments.duration("interval", options->interval_ms,
                     "the time between two rows, such as 1 or 500ms; without it there is one row");
  arguments.number("count", options->count, "the number of rows; 0: until the process ends");
  arguments.flag("-t,--time", options->is_timed, "begin each row with the time of day");
  return [options] { return stat_process(*options); };
}

}  // namespace

extern const Verb kStatVerb{"stat", "rows of a process's figures over time",
                            "bufpool stat $PID\nbufpool stat $PID 100ms 3", prepare};

}  // namespace bufpool
