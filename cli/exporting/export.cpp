// SPDX-License-Identifier: MIT
// `bufpool export`: Prometheus text of all processes of the host, for a collector of text files.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cli/command_error.h"
#include "cli/exporting/lasting_counts.h"
#include "cli/figures/rates.h"
#include "cli/figures/rendering.h"
#include "cli/figures/sample.h"
#include "cli/figures/sums.h"
#include "cli/formatted.h"
#include "cli/processes/proc_files.h"
#include "cli/texts/whole_file.h"
#include "cli/verbs.h"
#include "report/descriptor.h"
#include "report/escape.h"
#include "report/figures.h"

namespace bufpool {
namespace {

struct Options {
  std::string output;
  std::string group_by = "command";
  std::string state;

  // The file that keeps the counts of processes that ended; empty: they are not kept. What has
  // series of its own takes its counts with it.
  [[nodiscard]] std::string state_file() const {
    if (group_by == "pid") return {};
    const bool is_file = !output.empty() && output != "-" && !output.starts_with("/dev/");
    return state.empty() && is_file ? output + ".counts" : state;
  }
};

// The processes with the same labels, as one.
struct Group {
  Sample sum;
  std::uint64_t processes = 0;
  std::uint64_t ended = 0;
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

template <typename Row, typename Figures>
void clear_counters(Row& row, const Figures& figures) {
  for (const auto& figure : figures) {
    if (figure.kind == FigureKind::kCounter) row.*figure.value = 0;
  }
}

void replace_counters(Snapshot& sum, const Snapshot& counts) {
  clear_counters(sum, kProcessFigures);
  for (ClassSnapshot& row : sum.classes) clear_counters(row, kClassFigures);
  add_to(sum, counts);
}

// Gives the groups the counts of all processes that they ever had.
void add_ended(Groups& groups, const LastingCounts& counts) {
  for (const auto& [labels, lasting] : counts.groups()) {
    Group& group = groups[labels];
    replace_counters(group.sum.snapshot, lasting.counts);
    group.ended = lasting.ended;
  }
}

bool leads_to(const std::string& path, const Descriptor& file) {
  struct stat there = {};
  struct stat opened = {};
  return stat(path.c_str(), &there) == 0 && fstat(file.number(), &opened) == 0 &&
         there.st_dev == opened.st_dev && there.st_ino == opened.st_ino;
}

// Two runs at a time would each take what the processes counted since the last one for their own.
// So the file is locked. Each run puts another in its place, and who waited for the old one has
// locked nothing. A file that is made for the lock vanishes with a run that fails.
class CountsLock {
 public:
  // Locks the file. Without a path there is none.
  explicit CountsLock(std::string path) : path_(std::move(path)) {
    constexpr int kMostTries = 1000;  // of a file system that never names a file the same way twice
    for (int i = 0; !path_.empty() && i < kMostTries; ++i) {
      open_file();
      while (file_.is_open() && flock(file_.number(), LOCK_EX) != 0 && errno == EINTR) {
      }
      if (!file_.is_open() || leads_to(path_, file_)) break;
    }
  }
  CountsLock(const CountsLock&) = delete;
  CountsLock& operator=(const CountsLock&) = delete;
  ~CountsLock() {
    if (is_new_ && leads_to(path_, file_)) unlink(path_.c_str());
  }

 private:
  // The counts that replace a file have its mode. A new one has that of the exported text, whatever
  // the caller's mask is.
  void open_file() {
    constexpr int kHow = O_RDONLY | O_CREAT | O_CLOEXEC;
    constexpr mode_t kMode = 0644;
    file_ = Descriptor(open(path_.c_str(), kHow | O_EXCL, kMode));
    is_new_ = file_.is_open();
    if (is_new_) {
      fchmod(file_.number(), kMode);
    } else {
      file_ = Descriptor(open(path_.c_str(), kHow, kMode));
    }
  }

  std::string path_;
  Descriptor file_;
  bool is_new_ = false;
};

LastingCounts counts_in(const std::string& path) {
  int error = 0;
  const std::optional<std::string> text = read_text(path, error);
  if (!text && error != ENOENT) fail("{}: it cannot be read: {}", path, std::strerror(error));
  return LastingCounts::parse(text.value_or(""));
}

// Brings the counts in the file up to date, and the groups to them.
void keep_counts(const std::string& path, const ProcessList& list, const std::string& group_by,
                 Groups& groups) {
  LastingCounts counts = counts_in(path);
  for (const PooledProcess& process : list.processes) {
    const std::uint64_t pid = static_cast<std::uint64_t>(process.info.pid);
    counts.show(labels_of(process, group_by), {pid, process.page.header().started_ns},
                sample_of(process.page, process.info).snapshot);
  }
  counts.settle(now_ms());
  add_ended(groups, counts);
  write_whole(path, counts.text());
}

std::string head(std::string_view name, std::string_view type, std::string_view help) {
  return formatted("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

std::string gauge(std::string_view name, std::string_view help) {
  return head(name, "gauge", help);
}

// A figure that each group has one of.
template <typename Value>
std::string of_groups(const std::string& head, std::string_view name, const Groups& groups,
                      Value value) {
  std::string text = head;
  for (const auto& [labels, group] : groups) {
    text += formatted("{}{{{}}} {}\n", name, labels, value(group));
  }
  return text;
}

std::string processes_text(const Groups& groups) {
  return of_groups(gauge("bufpool_processes", "Processes under the pool."), "bufpool_processes",
                   groups, [](const Group& group) { return group.processes; }) +
         of_groups(gauge("bufpool_in_use_bytes", "Bytes of the buffers that the programs hold."),
                   "bufpool_in_use_bytes", groups,
                   [](const Group& group) { return sums_of(group.sum.snapshot).in_use_bytes; });
}

std::string ended_text(const Groups& groups) {
  constexpr std::string_view kName = "bufpool_ended_processes_total";
  return of_groups(head(kName, "counter", "Processes under the pool that have ended."), kName,
                   groups, [](const Group& group) { return group.ended; });
}

std::string collector_text(const ProcessList& list) {
  std::string text = gauge("bufpool_collector_unreadable_processes",
                           "Processes that may be under the pool, and could not be read.");
  text +=
      formatted("bufpool_collector_unreadable_processes {}\n", list.forbidden + list.unreadable);
  text += gauge("bufpool_collector_last_run_timestamp_seconds", "When these figures were read.");
  text += formatted("bufpool_collector_last_run_timestamp_seconds {}\n", now_ms() / 1000);
  return text;
}

// There is no library to tell the version of where all processes have ended.
std::string report_of(const Group& group) {
  constexpr std::string_view kInfo = "\nbufpool_process_info{";
  std::string text = rendered(group.sum, ReportForm::kPrometheus);
  if (group.processes > 0) return text;
  const std::size_t at = text.find(kInfo);
  if (at != std::string::npos) text.erase(at, text.find('\n', at + 1) - at);
  return text;
}

ExitCode export_all(const Options& options) {
  const std::string state = options.state_file();
  const CountsLock lock(state);
  const ProcessList list = list_processes();
  Groups groups = groups_of(list, options.group_by);
  if (!state.empty()) keep_counts(state, list, options.group_by, groups);
  Families families;
  for (const auto& [labels, group] : groups) families.add(report_of(group), labels);
  std::string text = families.text() + processes_text(groups);
  if (!state.empty()) text += ended_text(groups);
  write_whole(options.output, text + collector_text(list));
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.text("-o,--output", options->output, "FILE", "the file to write it to, by rename");
  arguments.choice("--group-by", options->group_by, {"unit", "command", "pid"},
                   "what has series of its own; each has those before it in this list as well");
  arguments.text("--state", options->state, "FILE",
                 "the file that keeps the counts of ended processes (that of -o, with .counts)");
  return [options] { return export_all(*options); };
}

}  // namespace

extern const Verb kExportVerb{"export", "Prometheus text of all processes of the host",
                              "bufpool export\n"
                              "bufpool export -o bufpool.prom --state bufpool.counts\n"
                              "bufpool export --group-by pid",
                              prepare};

}  // namespace bufpool
