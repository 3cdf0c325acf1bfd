// SPDX-License-Identifier: MIT
// Records the figures of a command and of all processes that it starts.
#pragma once

#include <sys/inotify.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cli/figures/sample.h"
#include "cli/pages/page_source.h"
#include "cli/processes/process_info.h"
#include "cli/profile/address_names.h"
#include "report/descriptor.h"

namespace bufpool {

// Keeps the pages of the processes in a folder in memory, where those of killed ones stay. It has
// to be told when to look. Its folder vanishes with it.
class Recorder {
 public:
  // Begins a recording in `file`, and sets BUFPOOL_STATS for what is started from now on. It throws
  // a CommandError if it cannot.
  Recorder(const std::string& file, const std::vector<std::string>& command,
           std::uint64_t interval_ms);
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  ~Recorder();

  // A descriptor that can be read from when a page has been made; then look() is to be called at
  // once, as the process may end at any time.
  [[nodiscard]] int new_pages() const noexcept { return inotify_.number(); }
  // Opens the pages that are new.
  void look();
  // Writes a line for each process, the last one for those that have ended. If the file takes no
  // more, it says so on stderr, once.
  void take_samples();
  // The same, and the last line of the recording: how the command ended, as waitpid() tells.
  void finish(int status);

  // Returns how many lines with figures were written, and of how many programs.
  [[nodiscard]] std::size_t samples() const noexcept { return samples_; }
  // Returns how many pages were found: a process has one for each program that it becomes.
  [[nodiscard]] std::size_t processes() const noexcept { return processes_; }

 private:
  struct Page {
    PageSource source;
    ProcessInfo seen{};            // what the kernel said last
    AddressNames names;            // of the code that it had last
    std::uint64_t profile_ms = 0;  // when its profile was written last
  };

  [[nodiscard]] int write(const std::string& line);
  void write_on(const std::string& line);
  void take_sample(const StatsPage& read, Page& page, bool is_alive);
  static void take_profile(Sample& sample, const StatsPage& read, Page& page, bool is_alive);

  Descriptor file_;
  Descriptor inotify_;
  std::string name_;    // of the file
  std::string folder_;  // of the pages
  std::map<std::string, Page> pages_;
  bool has_failed_ = false;  // the rest is not written
  std::size_t samples_ = 0;
  std::size_t processes_ = 0;
};

}  // namespace bufpool
