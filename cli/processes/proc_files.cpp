// SPDX-License-Identifier: MIT
#include "cli/processes/proc_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <memory>

#include "cli/formatted.h"
#include "report/descriptor.h"

namespace bufpool {

std::string proc_path(pid_t pid, std::string_view name) {
  return formatted("/proc/{}/{}", pid, name);
}

std::optional<std::string> read_text(const std::string& path, int& error) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  error = errno;
  if (!file.is_open()) return std::nullopt;
  std::string text;
  std::size_t used = 0;
  for (;;) {
    constexpr std::size_t kPiece = std::size_t{16} << 10;
    text.resize(std::max(used + kPiece, used * 2));
    const ssize_t got = read(file.number(), text.data() + used, text.size() - used);
    error = errno;
    if (got < 0 && error == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  text.resize(used);
  error = 0;
  return text;
}

std::string read_text_or_empty(const std::string& path) {
  int error = 0;
  return read_text(path, error).value_or("");
}

std::string link_target(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length > 0 ? std::string(target, static_cast<std::size_t>(length)) : std::string();
}

std::string_view status_value(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    line.remove_prefix(name.size() + 1);
    const std::size_t first = std::min(line.find_first_not_of(" \t"), line.size());
    line.remove_prefix(first);
    return line.substr(0, line.find_last_not_of(" \t") + 1);
  }
  return {};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end != 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc"), &closedir);
  if (folder == nullptr) return pids;
  while (const dirent* const entry = readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc{} && end == name.data() + name.size()) pids.push_back(pid);
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

}  // namespace bufpool
