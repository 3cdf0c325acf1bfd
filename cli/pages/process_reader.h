// SPDX-License-Identifier: MIT
// Finds the statistics pages of processes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/pages/page_source.h"
#include "cli/pages/stats_page_reader.h"
#include "cli/processes/process_info.h"

namespace bufpool {

// A process, and the way to its page.
struct PooledProcess {
  ProcessInfo info;
  PageMapping mapping;
  PageSource source;
  StatsPage page;  // as it was when the process was found
};

// The reason why a process has no page to read.
enum class PageTrouble : std::uint8_t {
  kNone,
  kGone,       // there is no such process
  kForbidden,  // it belongs to another user, or may not be traced
  kNoLibrary,  // it does not have the library
  kNoPage,     // it has the library, and no page
  kNotOwn,     // the page is its parent's: a forked child makes its own at its 128th miss
  kUnreadable  // the page cannot be read; `fault` says why
};

struct Found {
  std::optional<PooledProcess> process;
  PageTrouble trouble = PageTrouble::kNone;
  StatsPageFault fault = StatsPageFault::kNone;
};

// Looks for the page of a process. It throws nothing.
[[nodiscard]] Found find_process(pid_t pid, PageParts parts = PageParts::kFigures);
// Returns the process, or throws a CommandError that says why there is nothing to read, and what to
// do about it.
[[nodiscard]] PooledProcess process_or_fail(pid_t pid, PageParts parts = PageParts::kFigures);
// Returns whether the process still has the page that was found: it has neither ended nor executed
// another program since. Its number may be another process's by now.
[[nodiscard]] bool still_has_page(const PooledProcess& process);
// Returns the line for the error of process_or_fail().
[[nodiscard]] std::string explain(pid_t pid, const Found& found);

// All processes under the pool that this user may read, by pid, but for this command itself. Their
// sources are closed: there may be more processes than a command may have open files.
struct ProcessList {
  std::vector<PooledProcess> processes;
  std::uint64_t forbidden = 0;   // processes of others, under the pool or not
  std::uint64_t unreadable = 0;  // pages that could not be read
};
// Looks at all processes. It throws nothing: what cannot be read is counted.
[[nodiscard]] ProcessList list_processes();

// Whether some mapping of the process is the library.
[[nodiscard]] bool has_library(const std::string& maps);

}  // namespace bufpool
