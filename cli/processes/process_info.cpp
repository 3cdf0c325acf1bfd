// SPDX-License-Identifier: MIT
#include "cli/processes/process_info.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <vector>

#include "cli/processes/proc_files.h"

namespace bufpool {
namespace {

template <typename Number>
Number number_in(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool is_hexadecimal(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
}

// A container's number has 64 digits; runtimes put a word in front of it and .scope behind it:
// docker-0123...scope, cri-containerd-0123...scope, and /docker/0123... without systemd.
std::string container_in(std::string_view name, std::string_view parent) {
  constexpr std::size_t kDigits = 64;
  constexpr std::size_t kShown = 12;
  if (name.ends_with(".scope")) name.remove_suffix(6);
  if (name.size() < kDigits || !is_hexadecimal(name.substr(name.size() - kDigits))) return {};
  std::string_view runtime = name.substr(0, name.size() - kDigits);
  if (runtime.ends_with('-')) runtime.remove_suffix(1);
  if (runtime.empty()) runtime = parent.starts_with("pod") ? "kubernetes" : parent;
  if (runtime.empty()) runtime = "container";
  return printable(runtime) + ":" + printable(name.substr(name.size() - kDigits, kShown));
}

std::string unit_in(std::string_view path) {
  const std::vector<std::string_view> parts = split(path, '/');
  for (std::size_t i = parts.size(); i-- > 0;) {
    std::string container = container_in(parts[i], i > 0 ? parts[i - 1] : "");
    if (!container.empty()) return container;
    if (parts[i].ends_with(".service") || parts[i].ends_with(".scope")) return printable(parts[i]);
  }
  return {};
}

// Times of a process in clock ticks; 0: not known.
struct Ticks {
  std::uint64_t used = 0;     // by all threads
  std::uint64_t started = 0;  // since the machine started
};

// proc(5): behind the name, which may hold any character but ends with the last bracket, the times
// in user mode and in the kernel stand 11 and 12 fields further than the state, and the start 19.
Ticks ticks_of(pid_t pid) {
  constexpr std::size_t kUser = 11;
  constexpr std::size_t kStart = 19;
  const std::string text = read_text_or_empty(proc_path(pid, "stat"));
  const std::string_view rest = std::string_view(text).substr(text.rfind(')') + 1);
  const std::vector<std::string_view> fields = split(rest, ' ');
  if (fields.size() <= kStart) return {};
  const auto number = [&](std::size_t i) { return number_in<std::uint64_t>(fields[i]); };
  return {number(kUser) + number(kUser + 1), number(kStart)};
}

std::uint64_t cpu_ms_of(pid_t pid) {
  const auto ticks_a_second = static_cast<std::uint64_t>(std::max(1L, sysconf(_SC_CLK_TCK)));
  return ticks_of(pid).used * 1000 / ticks_a_second;
}

// Returns the inode that names a namespace; 0: the kernel does not tell, or has no such namespaces.
ino_t namespace_of(pid_t pid, std::string_view name) {
  struct stat space = {};
  return stat(proc_path(pid, name).c_str(), &space) == 0 ? space.st_ino : 0;
}

// Returns by how much the time since the machine started differs in the time namespace of a
// process's children, see time_namespaces(7).
std::int64_t boot_offset_of(pid_t pid) {
  const std::string text = read_text_or_empty(proc_path(pid, "timens_offsets"));
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::vector<std::string_view> words = split(take_line(rest), ' ');
    if (words.size() != 3 || words[0] != "boottime") continue;
    return number_in<std::int64_t>(words[1]) * 1'000'000'000 + number_in<std::int64_t>(words[2]);
  }
  return 0;
}

// The kernel tells of the children's namespace only. It is the process's own, unless the process
// has made one for its children.
std::int64_t clock_lead_of(pid_t pid) {
  const ino_t space = namespace_of(pid, "ns/time");
  if (space == 0 || space == namespace_of(getpid(), "ns/time")) return 0;
  if (space != namespace_of(pid, "ns/time_for_children")) return 0;
  return boot_offset_of(pid) - boot_offset_of(getpid());
}

}  // namespace

std::string printable(std::string_view text) {
  std::string clean(text);
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return clean;
}

std::optional<ProcessInfo> process_info(pid_t pid) {
  int error = 0;
  const std::optional<std::string> text = read_text(proc_path(pid, "status"), error);
  if (!text || text->empty()) return std::nullopt;
  const std::string_view state = status_value(*text, "State");
  if (state.starts_with('Z') || state.starts_with('X')) return std::nullopt;
  ProcessInfo info;
  info.pid = pid;
  info.inner_pid = pid;
  info.command = printable(status_value(*text, "Name"));
  const auto uids = split(status_value(*text, "Uid"), '\t');
  if (uids.size() > 1) info.uid = number_in<uid_t>(uids[1]);
  const auto pids = split(status_value(*text, "NSpid"), '\t');
  if (!pids.empty()) info.inner_pid = number_in<pid_t>(pids.back());
  info.resident_bytes = number_in<std::uint64_t>(status_value(*text, "VmRSS")) << 10;
  info.resident_peak_bytes = number_in<std::uint64_t>(status_value(*text, "VmHWM")) << 10;
  info.cpu_ms = cpu_ms_of(pid);
  info.clock_lead_ns = clock_lead_of(pid);
  info.threads = number_in<std::uint64_t>(status_value(*text, "Threads"));
  info.seccomp = number_in<int>(status_value(*text, "Seccomp"));
  return info;
}

std::optional<ProcessInfo> process_info(pid_t inner_pid, std::uint64_t started,
                                        std::uint64_t pid_namespace) {
  struct stat space = {};
  if (started == 0 || stat(proc_path(inner_pid, "ns/pid").c_str(), &space) != 0) return {};
  if (space.st_ino != pid_namespace || ticks_of(inner_pid).started != started) return {};
  std::optional<ProcessInfo> info = process_info(inner_pid);
  return info && info->inner_pid == inner_pid ? info : std::nullopt;
}

std::string user_name(uid_t uid) {
  static std::map<uid_t, std::string> known;
  const auto [at, is_new] = known.try_emplace(uid, std::to_string(uid));
  if (is_new) {
    if (const passwd* const entry = getpwuid(uid)) at->second = printable(entry->pw_name);
  }
  return at->second;
}

std::string unit_of(std::string_view cgroup_text) {
  while (!cgroup_text.empty()) {
    std::string_view line = take_line(cgroup_text);
    for (int colons = 0; colons < 2; ++colons) {
      line.remove_prefix(std::min(line.size(), line.find(':') + 1));
    }
    std::string unit = unit_in(line);
    if (!unit.empty()) return unit;
  }
  return "-";
}

std::string unit_of_process(pid_t pid) {
  return unit_of(read_text_or_empty(proc_path(pid, "cgroup")));
}

}  // namespace bufpool
