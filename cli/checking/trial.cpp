// SPDX-License-Identifier: MIT
#include "cli/checking/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "cli/command_error.h"
#include "cli/processes/proc_files.h"
#include "cli/processes/process_info.h"
#include "cli/steering/library.h"
#include "report/descriptor.h"

namespace bufpool {
namespace {

[[noreturn]] void become_trial(const std::string& library, const std::string& name, int to_parent) {
  preload(library);
  setenv("BUFPOOL_VERBOSE", "1", 1);
  setenv("BUFPOOL_QUIET", "0", 1);
  setenv("BUFPOOL_REPORT", "off", 1);
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(nothing, STDOUT_FILENO);
  dup2(to_parent, STDERR_FILENO);
  execl("/proc/self/exe", name.c_str(), "--version", nullptr);
  _exit(static_cast<int>(ExitCode::kFailed));
}

std::string read_all(int descriptor) {
  std::string text;
  char piece[4096];
  for (;;) {
    const ssize_t got = read(descriptor, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

// "bufpool: version 0.1.0, mode rseq", "bufpool: BUFPOOL_MODE=auto (default)", or a complaint.
void sort_line(std::string_view line, Trial& trial) {
  constexpr std::string_view kOurs = "bufpool: ";
  constexpr std::string_view kMode = ", mode ";
  const std::size_t mode = line.find(kMode);
  if (!line.starts_with(kOurs)) {
    trial.wrong.push_back(printable(line));
  } else if (line.starts_with("bufpool: version") && mode != std::string_view::npos) {
    trial.is_loaded = true;
    trial.mode = printable(line.substr(mode + kMode.size()));
  } else if (line.starts_with("bufpool: BUFPOOL_") && line.ends_with(')')) {
    trial.said.push_back(printable(line.substr(kOurs.size())));
  } else {
    trial.wrong.push_back(printable(line.substr(kOurs.size())));
  }
}

}  // namespace

Trial try_library(const std::string& library, const std::string& name) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail("no pipe can be made: error {}", errno);
  const Descriptor from_child(ends[0]);
  Descriptor to_parent(ends[1]);
  const pid_t child = fork();
  if (child < 0) fail("no process can be made: error {}", errno);
  if (child == 0) become_trial(library, name, to_parent.number());
  static_cast<void>(to_parent.close());
  const std::string text = read_all(from_child.number());
  waitpid(child, nullptr, 0);
  Trial trial;
  for (std::string_view rest = text; !rest.empty();) sort_line(take_line(rest), trial);
  return trial;
}

}  // namespace bufpool
