// SPDX-License-Identifier: MIT
// `bufpool ps`: the processes under the pool.
#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "cli/figures/rates.h"
#include "cli/figures/sample.h"
#include "cli/formatted.h"
#include "cli/pages/process_reader.h"
#include "cli/texts/sizes.h"
#include "cli/texts/table.h"
#include "cli/verbs.h"

namespace bufpool {
namespace {

struct Options {
  std::string folder;
  bool is_quiet = false;
};

Table empty_table() {
  return Table({{"pid"},
                {"unit", Align::kLeft},
                {"command", Align::kLeft},
                {"user", Align::kLeft},
                {"up"},
                {"in use"},
                {"idle"},
                {"hit%"},
                {"version", Align::kLeft}});
}

void add_row(Table& table, const Sample& sample, const std::string& unit, const std::string& user) {
  const Sums sums = sums_of(sample.snapshot);
  table.add({std::to_string(sample.snapshot.pid), unit, sample.command, user,
             short_time(sample.uptime_ms), short_bytes(sums.in_use_bytes),
             short_bytes(sums.idle_bytes), percent_text(sums.hits, sums.gets), sample.version});
}

ExitCode list_living(const Options& options) {
  const ProcessList list = list_processes();
  if (options.is_quiet) {
    for (const PooledProcess& process : list.processes) print_out("{}\n", process.info.pid);
    return ExitCode::kGood;
  }
  Table table = empty_table();
  for (const PooledProcess& process : list.processes) {
    add_row(table, sample_of(process.page, process.info), unit_of_process(process.info.pid),
            user_name(process.info.uid));
  }
  table.print();
  if (list.forbidden != 0) {
    print_error("not looked at, as they may not be read: {} processes{}\n", list.forbidden,
                geteuid() == 0 ? "" : "; sudo bufpool ps shows all");
  }
  if (list.unreadable != 0) {
    print_error("with a page of another version, or a damaged one: {} processes\n",
                list.unreadable);
  }
  if (list.processes.empty()) {
    print_error("no process is under the pool; try: bufpool run -- COMMAND\n");
  } else {
    print_error("try: bufpool report {}\n", list.processes.front().info.pid);
  }
  return ExitCode::kGood;
}

std::vector<std::string> files_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder.c_str()), &closedir);
  if (entries == nullptr) fail("{}: it is no folder that can be read", folder);
  std::vector<std::string> files;
  while (const dirent* const entry = readdir(entries.get())) {
    if (entry->d_name[0] != '.') files.push_back(folder + "/" + entry->d_name);
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The pages that BUFPOOL_STATS=/FOLDER keeps, those of killed processes as well.
ExitCode list_folder(const Options& options) {
  Table table = empty_table();
  std::uint64_t unreadable = 0;
  for (const std::string& path : files_in(options.folder)) {
    const PageSource source = PageSource::of_file(path);
    StatsPageFault fault{};
    int error = 0;
    const auto page = source.is_open() ? source.read(fault, error) : std::nullopt;
    if (!page) {
      ++unreadable;
    } else if (options.is_quiet) {
      print_out("{}\n", path);
    } else {
      const std::string unit = unit_of("0::" + page->control_group());
      add_row(table, sample_of(*page), unit, source.is_held() ? "(living)" : "(killed)");
    }
  }
  if (!options.is_quiet) table.print();
  if (unreadable != 0) {
    print_error("no pages of this version, or damaged ones: {} files\n", unreadable);
  }
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.text("--folder", options->folder, "FOLDER",
                 "list the pages in a folder of BUFPOOL_STATS, of killed processes as well");
  arguments.flag("-q,--quiet", options->is_quiet, "print the numbers (or the files) alone");
  return
      [options] { return options->folder.empty() ? list_living(*options) : list_folder(*options); };
}

}  // namespace

extern const Verb kPsVerb{"ps", "the processes under the pool", "bufpool ps\nbufpool ps --quiet",
                          prepare};

}  // namespace bufpool
