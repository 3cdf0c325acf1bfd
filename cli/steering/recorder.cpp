// SPDX-License-Identifier: MIT
#include "cli/steering/recorder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "cli/command_error.h"
#include "cli/figures/rendering.h"
#include "cli/formatted.h"
#include "cli/processes/process_info.h"
#include "cli/texts/whole_file.h"
#include "report/escape.h"

namespace bufpool {
namespace {

// Workers of a server may run as another user than root, and have to make pages, too.
std::string make_folder() {
  char path[] = "/dev/shm/bufpool-record.XXXXXX";
  if (mkdtemp(path) == nullptr) {
    fail("/dev/shm: no folder can be made there ({}), and a recording needs one in memory",
         std::strerror(errno));
  }
  if (geteuid() == 0) chmod(path, 01733);
  return path;
}

std::string first_line(const std::vector<std::string>& command, std::uint64_t interval_ms) {
  std::string words;
  for (const std::string& word : command) {
    words += formatted("{}\"{}\"", words.empty() ? "" : ", ", escaped(word, Escape::kJson).view());
  }
  return formatted(
      "{{\"recording\": 1, \"started_ms\": {}, \"interval_ms\": {}, \"command\": [{}]}}\n",
      now_ms(), interval_ms, words);
}

}  // namespace

Recorder::Recorder(const std::string& file, const std::vector<std::string>& command,
                   std::uint64_t interval_ms)
    : file_(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644)),
      inotify_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      name_(file) {
  if (!file_.is_open()) fail("{}: it cannot be written: {}", file, std::strerror(errno));
  folder_ = make_folder();
  inotify_add_watch(inotify_.number(), folder_.c_str(), IN_CREATE);
  setenv("BUFPOOL_STATS", folder_.c_str(), 1);
  const int error = write(first_line(command, interval_ms));
  if (error == 0) return;
  rmdir(folder_.c_str());
  fail("{}: it cannot be written: {}", file, std::strerror(error));
}

Recorder::~Recorder() {
  look();
  for (const auto& [path, page] : pages_) unlink(path.c_str());
  rmdir(folder_.c_str());
}

int Recorder::write(const std::string& line) { return write_all(file_.number(), line); }

// The command goes on without a recording.
void Recorder::write_on(const std::string& line) {
  if (has_failed_) return;
  const int error = write(line);
  has_failed_ = error != 0;
  if (!has_failed_) return;
  print_error("bufpool run: {}: the recording ends here: {}\n", name_, std::strerror(error));
}

void Recorder::look() {
  char events[4096];
  while (read(inotify_.number(), events, sizeof events) > 0) {
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(folder_.c_str()), &closedir);
  if (entries == nullptr) return;
  while (const dirent* const entry = readdir(entries.get())) {
    const std::string path = folder_ + "/" + entry->d_name;
    // Other users may make files there where root records. A link is not opened, whenever it came.
    if (entry->d_type != DT_REG || pages_.contains(path)) continue;
    PageSource source = PageSource::of_file(path);
    if (!source.is_open()) continue;
    pages_[path].source = std::move(source);
    ++processes_;
  }
}

// The names are looked up while the process lives, as its mappings go with it. They are written
// now and then, and in the end.
void Recorder::take_profile(Sample& sample, const StatsPage& read, Page& page, bool is_alive) {
  constexpr std::size_t kMostStacks = 200;
  constexpr std::uint64_t kProfileMs = 60'000;
  if (!read.samples()) return;
  if (is_alive && page.seen.pid != 0) {
    std::string code = AddressNames::code_lines(page.seen.pid);
    // A process that has executed another program since has the code of that one.
    if (page.source.is_held()) page.names.use(page.seen.pid, std::move(code));
  }
  tell_profile(sample, read, page.names);
  const bool is_due = page.profile_ms == 0 || sample.time_ms >= page.profile_ms + kProfileMs;
  if (is_alive && !is_due) {
    sample.profile.reset();
    return;
  }
  page.profile_ms = sample.time_ms;
  sample.profile = shortened(*sample.profile, kMostStacks);
}

void Recorder::take_sample(const StatsPage& read, Page& page, bool is_alive) {
  Sample sample = sample_of(read);
  const StatsHeader& header = read.header();
  const auto info = is_alive ? process_info(static_cast<pid_t>(header.pid), header.process_started,
                                            header.pid_namespace)
                             : std::nullopt;
  if (info) page.seen = *info;
  tell_use(sample, read, page.seen);
  take_profile(sample, read, page, is_alive);
  write_on(recording_line(sample));
  if (!has_failed_) ++samples_;
}

// A page that cannot be read yet may be about to be locked and filled. One that can be read was
// locked before. If its lock is free then, the process has ended, and what is read afterwards is
// the last that there is.
void Recorder::take_samples() {
  look();
  for (auto at = pages_.begin(); at != pages_.end();) {
    Page& page = at->second;
    StatsPageFault fault{};
    int error = 0;
    constexpr PageParts kParts = PageParts::kFiguresAndSamples;
    std::optional<StatsPage> read = page.source.read(fault, error, kParts);
    const bool is_alive = !read || page.source.is_held();
    if (!is_alive) read = page.source.read(fault, error, kParts);
    if (read) take_sample(*read, page, is_alive);
    if (is_alive) {
      ++at;
      continue;
    }
    unlink(at->first.c_str());
    at = pages_.erase(at);
  }
}

void Recorder::finish(int status) {
  take_samples();
  const bool is_killed = WIFSIGNALED(status);
  write_on(formatted("{{\"recording\": 1, \"ended_ms\": {}, \"{}\": {}}}\n", now_ms(),
                     is_killed ? "signal" : "exit_code",
                     is_killed ? WTERMSIG(status) : WEXITSTATUS(status)));
}

}  // namespace bufpool
