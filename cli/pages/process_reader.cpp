// SPDX-License-Identifier: MIT
#include "cli/pages/process_reader.h"

#include <errno.h>
#include <unistd.h>

#include "cli/command_error.h"
#include "cli/formatted.h"
#include "cli/processes/proc_files.h"

namespace bufpool {
namespace {

Found trouble(PageTrouble why, StatsPageFault fault = StatsPageFault::kNone) {
  Found found;
  found.trouble = why;
  found.fault = fault;
  return found;
}

PageTrouble trouble_of(int error) {
  return error == EACCES || error == EPERM ? PageTrouble::kForbidden : PageTrouble::kGone;
}

Found read_mapped(pid_t pid, const PageMapping& mapping, PageParts parts) {
  PageSource source(pid, mapping);
  StatsPageFault fault{};
  int error = 0;
  std::optional<StatsPage> page = source.read(fault, error, parts);
  if (!page) {
    if (error != 0) return trouble(trouble_of(error));
    return trouble(PageTrouble::kUnreadable, fault);
  }
  const std::optional<ProcessInfo> info = process_info(pid);
  if (!info) return trouble(PageTrouble::kGone);
  if (page->header().pid != static_cast<std::uint32_t>(info->inner_pid)) {
    return trouble(PageTrouble::kNotOwn);
  }
  Found found;
  found.process.emplace(PooledProcess{*info, mapping, std::move(source), std::move(*page)});
  return found;
}

std::string refusal(const std::optional<ProcessInfo>& info) {
  if (geteuid() == 0) return "the system does not let this container look into it";
  return info && info->uid != geteuid()
             ? formatted("it belongs to {}; try again with sudo", user_name(info->uid))
             : std::string(
                   "the system lets nobody but root and its parents look into it; try "
                   "again with sudo");
}

}  // namespace

bool has_library(const std::string& maps) {
  return maps.find("/libbufpool.so") != std::string::npos;
}

Found find_process(pid_t pid, PageParts parts) {
  int error = 0;
  const std::optional<std::string> maps = read_text(proc_path(pid, "maps"), error);
  if (!maps) return trouble(trouble_of(error));
  const std::optional<PageMapping> mapping = find_page_mapping(*maps);
  if (mapping) return read_mapped(pid, *mapping, parts);
  if (!process_info(pid)) return trouble(PageTrouble::kGone);
  return trouble(has_library(*maps) ? PageTrouble::kNoPage : PageTrouble::kNoLibrary);
}

std::string explain(pid_t pid, const Found& found) {
  const std::optional<ProcessInfo> info = process_info(pid);
  std::string who =
      info ? formatted("process {} ({})", pid, info->command) : formatted("process {}", pid);
  switch (found.trouble) {
    case PageTrouble::kNone:
      break;
    case PageTrouble::kGone:
      return who + ": there is no such process; `bufpool ps` lists those under the pool";
    case PageTrouble::kForbidden:
      return formatted("{}: {}", who, refusal(info));
    case PageTrouble::kNoLibrary:
      return formatted("{}: it is not under the pool; `bufpool doctor {}` says why", who, pid);
    case PageTrouble::kNoPage:
      return formatted("{}: it has the library and no figures; `bufpool doctor {}` says why", who,
                       pid);
    case PageTrouble::kNotOwn:
      return who +
             ": it has not made its own page yet (a forked child does at its 128th miss); try "
             "again "
             "later";
    case PageTrouble::kUnreadable:
      return formatted("{}: its page cannot be read: {}", who, describe(found.fault));
  }
  return who;
}

PooledProcess process_or_fail(pid_t pid, PageParts parts) {
  Found found = find_process(pid, parts);
  if (!found.process) throw CommandError(explain(pid, found));
  return std::move(*found.process);
}

bool still_has_page(const PooledProcess& process) {
  const Found now = find_process(process.info.pid);
  if (!now.process) return false;
  const StatsHeader& found = now.process->page.header();
  const StatsHeader& then = process.page.header();
  return found.pid == then.pid && found.started_ns == then.started_ns;
}

ProcessList list_processes() {
  ProcessList list;
  for (const pid_t pid : all_processes()) {
    if (pid == getpid()) continue;
    Found found = find_process(pid);
    if (found.process) {
      found.process->source = PageSource();
      list.processes.push_back(std::move(*found.process));
    }
    list.forbidden += found.trouble == PageTrouble::kForbidden;
    list.unreadable += found.trouble == PageTrouble::kUnreadable;
  }
  return list;
}

}  // namespace bufpool
