// SPDX-License-Identifier: MIT
// `bufpool advise`: what to change, with the figures behind it and the line to set.

#include <memory>

#include "cli/figures/target.h"
#include "cli/formatted.h"
#include "cli/verbs.h"
#include "report/forms.h"

namespace bufpool {
namespace {

struct Options {
  std::string target;
  std::string pid;
};

// Returns "NAME=VALUE" of an advice to "set BUFPOOL_NAME=VALUE"; empty if it has none.
std::string setting_in(std::string_view advice) {
  constexpr std::string_view kSet = "set BUFPOOL_";
  const std::size_t at = advice.find(kSet);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = advice.substr(at + kSet.size());
  std::string_view setting = rest.substr(0, rest.find(' '));
  if (setting.ends_with(',') || setting.ends_with(';')) setting.remove_suffix(1);
  return setting.find('=') == std::string_view::npos ? std::string() : std::string(setting);
}

ExitCode advise_for(const Options& options) {
  const Sample sample = sample_named(options.target, options.pid);
  std::vector<std::string> lines;
  auto add = [&lines](std::string_view line) noexcept { lines.emplace_back(line); };
  advise(sample.snapshot, sample.context(), add);
  print_out("{} {}: {}\n", sample.command, sample.snapshot.pid,
            lines.empty() ? "nothing to change" : "what to change:");
  std::string settings;
  for (const std::string& line : lines) {
    print_out("  - {}\n", line);
    const std::string setting = setting_in(line);
    if (!setting.empty()) settings += " -s " + setting;
  }
  if (!settings.empty()) print_out("try: bufpool run{} -- {} ...\n", settings, sample.command);
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.required("target", options->target,
                     "a process's number or name, or a file: a recording, a JSON report, a page");
  arguments.text("--pid", options->pid, "PID", "of a recording with several processes, the one");
  return [options] { return advise_for(*options); };
}

}  // namespace

extern const Verb kAdviseVerb{"advise", "what to change for a process, with the line to set",
                              "bufpool advise $PID\nbufpool advise $FILE", prepare};

}  // namespace bufpool
