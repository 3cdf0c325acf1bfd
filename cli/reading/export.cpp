// SPDX-License-Identifier: MIT
// `bufpool export`: Prometheus text of all processes of the host, for a collector of text files.

#include <algorithm>
#include <map>
#include <memory>

#include "cli/figures/rendering.h"
#include "cli/figures/sample.h"
#include "cli/figures/sums.h"
#include "cli/formatted.h"
#include "cli/forms/whole_file.h"
#include "cli/pages/proc_files.h"
#include "cli/verbs.h"
#include "report/escape.h"

namespace bufpool {
namespace {

struct Options {
  std::string output;
  std::string group_by = "command";
};

// The processes with the same labels, as one.
struct Group {
  Sample sum;
  std::uint64_t processes = 0;
};
using Groups = std::map<std::string, Group>;  // by labels

// A metric with its lines of HELP and TYPE, and all samples.
struct Family {
  std::string head;
  std::string samples;
};

class Families {
 public:
  // Adds the report of a group, with the group's labels in the place of its own.
  void add(const std::string& text, const std::string& labels) {
    constexpr std::string_view kHelp = "# HELP ";
    constexpr std::string_view kOwnLabels = "{pid=\"0\",comm=\"\"";
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view line = take_line(rest);
      if (line.starts_with(kHelp)) begin(line.substr(kHelp.size()));
      if (line.starts_with('#')) {
        if (is_new_) now_->head.append(line).append("\n");
        continue;
      }
      const std::size_t at = line.find(kOwnLabels);
      if (at == std::string_view::npos) continue;
      now_->samples.append(line.substr(0, at)).append("{").append(labels);
      now_->samples.append(line.substr(at + kOwnLabels.size())).append("\n");
    }
  }

  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& family : families_) all += family->head + family->samples;
    return all;
  }

 private:
  void begin(std::string_view help) {
    const std::string name(help.substr(0, help.find(' ')));
    auto& family = by_name_[name];
    is_new_ = family == nullptr;
    if (is_new_) {
      family = std::make_shared<Family>();
      families_.push_back(family);
    }
    now_ = family.get();
  }

  std::vector<std::shared_ptr<Family>> families_;
  std::map<std::string, std::shared_ptr<Family>> by_name_;
  Family* now_ = nullptr;
  bool is_new_ = false;
};

std::string label(std::string_view name, std::string_view value) {
  return formatted("{}=\"{}\"", name, escaped(value, Escape::kPrometheus).view());
}

std::string labels_of(const PooledProcess& process, const std::string& group_by) {
  std::string labels = label("unit", unit_of_process(process.info.pid));
  if (group_by == "unit") return labels;
  labels += "," + label("comm", process.page.command());
  if (group_by == "pid") labels += "," + label("pid", std::to_string(process.info.pid));
  return labels;
}

Groups groups_of(const ProcessList& list, const std::string& group_by) {
  Groups groups;
  for (const PooledProcess& process : list.processes) {
    const Sample sample = sample_of(process.page, process.info);
    Group& group = groups[labels_of(process, group_by)];
    if (group.processes++ == 0) {
      group.sum = sample;
    } else {
      add_to(group.sum.snapshot, sample.snapshot);
    }
    group.sum.command.clear();
    group.sum.snapshot.pid = 0;
  }
  return groups;
}

std::string gauge(std::string_view name, std::string_view help) {
  return formatted("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
}

std::string collector_text(const ProcessList& list, const Groups& groups) {
  std::string text = gauge("bufpool_processes", "Processes under the pool.");
  for (const auto& [labels, group] : groups) {
    text += formatted("bufpool_processes{{{}}} {}\n", labels, group.processes);
  }
  text += gauge("bufpool_collector_unreadable_processes",
                "Processes that may be under the pool, and could not be read.");
  text +=
      formatted("bufpool_collector_unreadable_processes {}\n", list.forbidden + list.unreadable);
  text += gauge("bufpool_collector_last_run_timestamp_seconds", "When these figures were read.");
  text += formatted("bufpool_collector_last_run_timestamp_seconds {}\n", now_ms() / 1000);
  return text;
}

ExitCode export_all(const Options& options) {
  const ProcessList list = list_processes();
  const Groups groups = groups_of(list, options.group_by);
  Families families;
  for (const auto& [labels, group] : groups) {
    families.add(rendered(group.sum, ReportForm::kPrometheus), labels);
  }
  write_whole(options.output, families.text() + collector_text(list, groups));
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.text("-o,--output", options->output, "FILE", "the file to write it to, by rename");
  arguments.choice("--group-by", options->group_by, {"unit", "command", "pid"},
                   "what has series of its own; each has those before it in this list as well");
  return [options] { return export_all(*options); };
}

}  // namespace

extern const Verb kExportVerb{"export", "Prometheus text of all processes of the host",
                              "bufpool export\n"
                              "bufpool export --group-by pid -o bufpool.prom",
                              prepare};

}  // namespace bufpool
