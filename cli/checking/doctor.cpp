// SPDX-License-Identifier: MIT
// `bufpool doctor`: whether the pool is active in a process, or would be in a command, and why not.
#include <errno.h>
#include <fmt/format.h>
#include <strings.h>

#include <memory>

#include "cli/checking/checks.h"
#include "cli/checking/program_file.h"
#include "cli/figures/target.h"
#include "cli/formatted.h"
#include "cli/pages/process_reader.h"
#include "cli/processes/proc_files.h"
#include "cli/steering/library.h"
#include "cli/verbs.h"
#include "report/figures.h"

namespace bufpool {
namespace {

struct Options {
  std::vector<std::string> words;
};

void look_at_page(const PooledProcess& process, Findings& findings) {
  const StatsPage& page = process.page;
  const Snapshot snapshot = page.snapshot();
  findings.ok(formatted("the pool is active: version {}, mode {}, {} buffers handed out",
                        page.version(), mode_word(snapshot.mode), totals_of(snapshot).gets));
  if (page.version() != BUFPOOL_VERSION) {
    findings.note(formatted("this command is version {}; restart the process to bring it there",
                            BUFPOOL_VERSION));
  }
  if (snapshot.mode == PoolMode::kLocked) {
    findings.note(
        "mode locked: each get and put takes a lock; restartable sequences are missing, "
        "or BUFPOOL_MODE=locked is set");
  }
  if (trimmer_state(snapshot) == TrimmerState::kRefused) {
    findings.note(
        "the system refused a thread to give idle memory back; ulimit -u or the unit's "
        "TasksMax may be too low");
  }
}

// The name that a process was started by.
std::string name_of(pid_t pid) {
  const std::string words = read_text_or_empty(proc_path(pid, "cmdline"));
  return short_name(std::string_view(words).substr(0, words.find('\0')));
}

// The library is there, and there is no page.
void look_for_page(const ProcessInfo& info, std::string_view environment, Findings& findings) {
  findings.ok("the library is in the process");
  const std::string why = why_left_out(environment, name_of(info.pid));
  const std::string stats = variable_in(environment, "BUFPOOL_STATS");
  if (!why.empty()) {
    findings.no(why);
  } else if (strcasecmp(stats.c_str(), "off") == 0) {
    findings.no("BUFPOOL_STATS=off: the pool may be active, and nothing can be seen of it");
  } else if (info.seccomp == 2) {
    findings.no(
        "a filter of system calls is in force: with BUFPOOL_STATS=on there is a page under "
        "those of Docker and Kubernetes, too");
  } else if (stats.starts_with('/')) {
    findings.no(
        "BUFPOOL_STATS names a folder: it must be there and in memory, with room for 1 MiB, be no "
        "symbolic link and no other user's, and have the sticky bit where others may write to it; "
        "or the process has asked for no buffer of 512 bytes or more so far");
  } else {
    findings.no("it has asked for no buffer of 512 bytes or more so far; try again later");
  }
}

void look_at_process(pid_t pid, const Found& found, Findings& findings) {
  int error = 0;
  const auto environment = read_text(proc_path(pid, "environ"), error);
  const std::string maps = read_text_or_empty(proc_path(pid, "maps"));
  const auto info = process_info(pid);
  if (!info) fail("process {}: it has ended", pid);
  if (found.process) {
    look_at_page(*found.process, findings);
  } else if (found.trouble == PageTrouble::kNoPage) {
    look_for_page(*info, environment.value_or(""), findings);
  } else if (found.trouble == PageTrouble::kNotOwn) {
    findings.ok(
        "it was forked from a process under the pool, and has not made its own page yet (a forked "
        "child does at its 128th miss)");
  } else if (found.trouble == PageTrouble::kUnreadable) {
    findings.note(formatted("its statistics page cannot be read: {}", describe(found.fault)));
  } else {
    findings.no("the library is not in the process");
    check_preload(variable_in(environment.value_or(""), "LD_PRELOAD"), proc_path(pid, "root"),
                  findings);
    const std::string path = link_target(proc_path(pid, "exe"));
    if (!path.empty()) check_program(proc_path(pid, "root") + path, findings);
  }
  check_allocators(maps, findings);
  check_limits(read_text_or_empty(proc_path(pid, "limits")), findings);
}

void doctor_process(pid_t pid, Findings& findings) {
  const Found found = find_process(pid);
  if (found.trouble == PageTrouble::kGone || found.trouble == PageTrouble::kForbidden) {
    throw CommandError(explain(pid, found));
  }
  look_at_process(pid, found, findings);
}

void doctor_command(const std::string& command, Findings& findings) {
  const std::string path = path_of_command(command);
  if (path.empty()) {
    throw CommandError(command + ": there is no such command", ExitCode::kNotFound);
  }
  const std::string program = check_program(path, findings);
  check_library(short_name(program), findings);
  check_limits(read_text_or_empty("/proc/self/limits"), findings);
}

std::string next_step(const std::vector<std::string>& words, bool is_process) {
  if (words.empty()) return "bufpool run -- COMMAND";
  if (!is_process) return formatted("bufpool run -- {}", fmt::join(words, " "));
  return formatted("bufpool report {}", words[0]);
}

ExitCode doctor(const Options& options) {
  Findings findings;
  const bool is_process = !options.words.empty() &&
                          options.words[0].find_first_not_of("0123456789") == std::string::npos;
  if (options.words.empty()) {
    check_library("bufpool", findings);
    check_limits(read_text_or_empty("/proc/self/limits"), findings);
  } else if (is_process) {
    doctor_process(pid_of(options.words[0]), findings);
  } else {
    doctor_command(options.words[0], findings);
  }
  for (const std::string& line : findings.lines()) print_out("{}\n", line);
  if (!findings.is_active()) return ExitCode::kFinding;
  print_out("try: {}\n", next_step(options.words, is_process));
  return ExitCode::kGood;
}

Action prepare(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.command(options->words,
                    "a process's number, or a command; without one, the library itself", false);
  return [options] { return doctor(*options); };
}

}  // namespace

extern const Verb kDoctorVerb{"doctor", "whether the pool is active, or would be, and why not",
                              "bufpool doctor\nbufpool doctor $PID\nbufpool doctor ls", prepare};

}  // namespace bufpool
