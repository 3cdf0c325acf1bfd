// SPDX-License-Identifier: MIT
// `bufpool config`: the variables in force, and where their values come from.

#include <memory>

#include "cli/checking/trial.h"
#include "cli/figures/target.h"
#include "cli/formatted.h"
#include "cli/steering/library.h"
#include "cli/texts/table.h"
#include "cli/verbs.h"

namespace bufpool {
namespace {

struct Options {
  std::string target;
};

Table empty_table() {
  return Table({{"variable", Align::kLeft}, {"value", Align::kLeft}, {"source", Align::kLeft}});
}

// The library itself says what it makes of the variables that are set here.
ExitCode show_here() {
  const Trial trial = try_library(library_path());
  Table table = empty_table();
  for (const std::string& line : trial.said) {
    const std::size_t value = line.find('=');
    const std::size_t source = line.rfind(" (");
    if (value == std::string::npos || source == std::string::npos || source < value) continue;
    table.add({line.substr(0, value), line.substr(value + 1, source - value - 1),
               line.substr(source + 2, line.size() - source - 3)});
  }
  table.print();
  for (const std::string& line : trial.wrong) print_error("bufpool config: {}\n", line);
  if (trial.is_loaded && trial.wrong.empty()) return ExitCode::kGood;
  print_error("try: bufpool doctor\n");
  return ExitCode::kFinding;
}

ExitCode show_process(const std::string& target) {
  const PooledProcess process = process_or_fail(pid_of(target));
  Table table = empty_table();
  for (const StatsPage::Option& option : process.page.options()) {
    table.add({"BUFPOOL_" + option.name, option.value, option.source});
  }
  table.print();
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.text("process", options->target, "",
                 "a process's number or name; without it, what a program started here would get");
  return
      [options] { return options->target.empty() ? show_here() : show_process(options->target); };
}

}  // namespace

extern const Verb kConfigVerb{"config", "the variables in force, and where they come from",
                              "bufpool config\nbufpool config $PID", prepare};

}  // namespace bufpool
