// SPDX-License-Identifier: MIT
#include "cli/steering/library.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "cli/command_error.h"
#include "cli/formatted.h"
#include "cli/processes/proc_files.h"

namespace bufpool {
namespace {

constexpr std::string_view kName = "libbufpool.so";
constexpr std::string_view kPrefix = "BUFPOOL_";

std::string resolved(const std::string& path) {
  char full[PATH_MAX];
  return realpath(path.c_str(), full) != nullptr ? full : std::string();
}

}  // namespace

std::string own_file() {
  std::string path = link_target("/proc/self/exe");
  if (path.empty()) fail("/proc/self/exe cannot be read: is /proc mounted?");
  return path;
}

// The library has a link of this name in a folder of its own wherever it is installed. The one
// beside the library itself is for developers.
std::string library_path() {
  const std::string own = own_file();
  const std::string folder = own.substr(0, own.rfind('/'));
  for (const char* const place : {"", "/" BUFPOOL_LIBRARY_FOLDER "/bufpool"}) {
    std::string path = resolved(formatted("{}{}/{}", folder, place, kName));
    if (path.empty()) continue;
    if (path.find_first_of(": ") == std::string::npos) return path;
    fail("{}: LD_PRELOAD cannot hold a path with spaces or colons; move it", path);
  }
  fail("{} is neither in {} nor in {}/{}/bufpool; build it: cmake --build build --target bufpool",
       kName, folder, folder, BUFPOOL_LIBRARY_FOLDER);
}

std::string preload_value(const std::string& library, std::string_view now) {
  std::string value = library;
  std::string rest(now);
  std::replace(rest.begin(), rest.end(), ' ', ':');
  for (const std::string_view other : split(rest, ':')) {
    if (other.substr(other.rfind('/') + 1).starts_with(kName)) continue;
    value.append(":").append(other);
  }
  return value;
}

void preload(const std::string& library) {
  const char* const now = std::getenv("LD_PRELOAD");
  const std::string value = preload_value(library, now == nullptr ? "" : now);
  setenv("LD_PRELOAD", value.c_str(), 1);
}

const std::vector<std::string_view>& variable_names() {
  static const std::vector<std::string_view> names{
#define BUFPOOL_OPTION(kind, member, NAME, ...) NAME,
#define BUFPOOL_CHOICE(Type, member, NAME, ...) NAME,
#include "pool/options/options.def"
  };
  return names;
}

void set_variable(const std::string& setting) {
  const std::size_t end = setting.find('=');
  if (end == std::string::npos) fail("-s {}: it has no value; write -s KEY=VALUE", setting);
  std::string name = setting.substr(0, end);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
  const auto& names = variable_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    fail("-s {}: there is no variable BUFPOOL_{}; `bufpool config` lists them", setting, name);
  }
  setenv((std::string(kPrefix) + name).c_str(), setting.c_str() + end + 1, 1);
}

void fail_to_execute(const std::string& command, int error) {
  const bool is_missing = error == ENOENT || error == ENOTDIR;
  throw CommandError(
      formatted("{}: {}; `bufpool doctor {}` looks closer", command,
                is_missing ? "there is no such command" : std::strerror(error), command),
      is_missing ? ExitCode::kNotFound : ExitCode::kCannotRun);
}

void execute(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  execvp(pointers[0], pointers.data());
  fail_to_execute(words[0], errno);
}

}  // namespace bufpool
