// SPDX-License-Identifier: MIT
// `bufpool report`: the exit report at any time.

#include <memory>

#include "cli/figures/rendering.h"
#include "cli/figures/target.h"
#include "cli/formatted.h"
#include "cli/html/page.h"
#include "cli/steering/page_control.h"
#include "cli/steering/request.h"
#include "cli/texts/whole_file.h"
#include "cli/verbs.h"

namespace bufpool {
namespace {

struct Options {
  std::string target;
  std::string format = "text";
  std::string output;
  std::string pid;
  bool look = false;
  bool append = false;
  std::uint64_t patience_ms = 2000;
};

std::string text_of(const std::vector<Sample>& samples, const std::string& format) {
  const Sample& last = samples.back();
  if (format == "json") return rendered(last, ReportForm::kJson);
  if (format == "prometheus") return rendered(last, ReportForm::kPrometheus);
  if (format == "html") return html_page(samples);
  if (format == "csv") return csv(samples);
  if (format == "text") return rendered(last, ReportForm::kText);
  std::string lines;
  for (const Sample& sample : samples) lines += json_line(sample) + "\n";
  return lines;
}

// Which idle pages are resident is found out by the process itself, if it is asked to.
void let_it_look(const PooledProcess& process) {
  constexpr std::uint64_t kPatienceMs = 1000;
  if (ask(process, kStatsLook, kPatienceMs) == Answer::kDone) return;
  print_error("bufpool report: process {} has not looked yet: `retained` is as it last found out\n",
              process.info.pid);
}

std::vector<Sample> samples_for(const Options& options) {
  if (is_file_name(options.target)) {
    return samples_of_one(samples_in_file(options.target), options.pid);
  }
  const PageParts parts =
      options.format == "html" ? PageParts::kFiguresAndSamples : PageParts::kFigures;
  PooledProcess process = process_or_fail(pid_of(options.target), parts);
  if (options.look) {
    let_it_look(process);
    process = process_or_fail(process.info.pid, parts);
  }
  Sample sample = sample_of(process.page, process.info);
  if (parts == PageParts::kFiguresAndSamples) tell_profile(sample, process);
  return {std::move(sample)};
}

// The process's own thread writes the report. It makes a pass four times a second.
ExitCode let_it_append(const PooledProcess& process, std::uint64_t patience_ms) {
  Request request;
  request.verbs = kStatsReport;
  request.patience_ms = patience_ms;
  request.refusal =
      "it cannot append a report: BUFPOOL_REPORT names no file there, the file cannot "
      "be written, or BUFPOOL_TRIMMER=off. Try: bufpool config " +
      std::to_string(process.info.pid);
  request.tell_done = [](const PooledProcess& done) {
    print_out("process {} ({}): it has appended a report to the file of its BUFPOOL_REPORT\n",
              done.info.pid, done.info.command);
  };
  return perform(request, process);
}

ExitCode report(const Options& options) {
  if (options.append) {
    if (is_file_name(options.target))
      fail("--append asks a process, and {} is a file", options.target);
    return let_it_append(process_or_fail(pid_of(options.target)), options.patience_ms);
  }
  const std::vector<Sample> samples = samples_for(options);
  write_whole(options.output, text_of(samples, options.format));
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.required("target", options->target,
                     "a process's number or name, or a file: a recording, a JSON report, a page");
  arguments.choice("-f,--format", options->format,
                   {"text", "json", "jsonl", "html", "prometheus", "csv"},
                   "the form of the report");
  arguments.text("-o,--output", options->output, "FILE", "the file to write it to, by rename");
  arguments.text("--pid", options->pid, "PID",
                 "of a recording with several processes, the one to report; else the busiest");
  arguments.flag("--look", options->look,
                 "let the process find out first which idle memory is resident");
  arguments.flag("--append", options->append,
                 "let the process append the report to the file of its own BUFPOOL_REPORT");
  arguments.duration("-w,--wait", options->patience_ms, "how long --append waits for the answer");
  return [options] { return report(*options); };
}

}  // namespace

extern const Verb kReportVerb{"report", "the report of a process as it is now, or of a recording",
                              "bufpool report $PID\n"
                              "bufpool report $PID --format json -o report.json\n"
                              "bufpool report $FILE --format csv\n"
                              "bufpool report $FILE --format html -o report.html",
                              prepare};

}  // namespace bufpool
