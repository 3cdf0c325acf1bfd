// SPDX-License-Identifier: MIT
#include "cli/checking/checks.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "cli/checking/program_file.h"
#include "cli/checking/trial.h"
#include "cli/command_error.h"
#include "cli/formatted.h"
#include "cli/processes/proc_files.h"
#include "cli/processes/process_info.h"
#include "cli/steering/library.h"
#include "cli/texts/sizes.h"
#include "pool/options/name_patterns.h"

namespace bufpool {
namespace {

constexpr std::string_view kOurs = "libbufpool.so";
constexpr std::array<std::string_view, 8> kAllocators{"libjemalloc", "libtcmalloc", "libtbbmalloc",
                                                      "libsnmalloc", "libhoard",    "librpmalloc",
                                                      "libscudo",    "libmimalloc-"};

bool has_allocator(std::string_view text, std::string& name) {
  for (const std::string_view allocator : kAllocators) {
    if (text.find(allocator) == std::string_view::npos) continue;
    name = allocator;
    return true;
  }
  return false;
}

// Python 3.12 and later warn where a process with threads forks, and ours counts as one.
bool forks_with_warnings(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  constexpr std::string_view kPython = "python3.";
  if (!name.starts_with(kPython)) return false;
  name.remove_prefix(kPython.size());
  unsigned minor = 0;
  std::from_chars(name.data(), name.data() + name.size(), minor);
  constexpr unsigned kFirst = 12;
  return minor >= kFirst;
}

std::string resolved(const std::string& path) {
  std::string target = link_target(path);
  if (target.empty()) return path;
  return target.starts_with('/') ? target : path.substr(0, path.rfind('/') + 1) + target;
}

void check_binary(const std::string& path, const ProgramFile& program, Findings& findings) {
  if (program.kind == ProgramFile::Kind::kStatic) {
    findings.no(path +
                " is linked statically, as Go programs are: no library can be preloaded into it; "
                "link it dynamically");
    return;
  }
  if (program.interpreter.find("ld-musl") != std::string::npos) {
    findings.no(path + " is made for musl, and the library for glibc; use an image with glibc");
    return;
  }
  std::string allocator;
  for (const std::string& library : program.libraries) {
    if (has_allocator(library, allocator)) {
      findings.note(formatted(
          "{} is linked with {}: the pool serves malloc and free, and calls of {}'s own names "
          "still go there",
          path, library, allocator));
    }
  }
  if (program.defines_malloc) {
    findings.no(path +
                " defines malloc itself, and the loader takes that one; build it without its own "
                "allocator");
  } else {
    findings.ok(path + " is linked dynamically");
  }
}

// An item of LD_PRELOAD.
void check_item(std::string_view item, const std::string& root, Findings& findings) {
  std::string allocator;
  if (item.find("libasan") != std::string_view::npos ||
      item.find("libtsan") != std::string_view::npos) {
    findings.no(
        formatted("LD_PRELOAD has {}, a sanitizer that is an allocator itself; take one "
                  "of the two out",
                  item));
  } else if (has_allocator(item, allocator)) {
    findings.note(formatted("LD_PRELOAD has {} as well; the first of the two serves malloc", item));
  }
  if (item.find(kOurs) == std::string_view::npos) return;
  if (item.find('/') == std::string_view::npos) {
    findings.ok(formatted("LD_PRELOAD has {}, which the loader looks for in its folders", item));
  } else if (!item.starts_with('/')) {
    findings.no(
        formatted("LD_PRELOAD has {}, a relative path, which holds in one folder only; "
                  "write the full path",
                  item));
  } else if (access((root + std::string(item)).c_str(), R_OK) != 0) {
    findings.no(
        formatted("LD_PRELOAD has {}, which is not there for this process; put it into "
                  "its container, or correct the path",
                  item));
  } else {
    findings.ok(formatted("LD_PRELOAD has {}", item));
  }
}

std::uint64_t number_in_file(const char* path, std::uint64_t otherwise) {
  std::string text = read_text_or_empty(path);
  while (text.ends_with('\n')) text.pop_back();
  std::uint64_t number = 0;
  return parse_number(text, number) ? number : otherwise;
}

// The soft limit of a line such as "Max address space  unlimited  unlimited  bytes".
bool soft_limit(std::string_view limits, std::string_view name, std::uint64_t& limit) {
  while (!limits.empty()) {
    std::string_view line = take_line(limits);
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    const auto words = split(line, ' ');
    return !words.empty() && parse_number(words[0], limit);
  }
  return false;
}

}  // namespace

std::string variable_in(std::string_view environment, std::string_view name) {
  for (const std::string_view entry : split(environment, '\0')) {
    if (entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=') {
      return std::string(entry.substr(name.size() + 1));
    }
  }
  return {};
}

std::string why_left_out(std::string_view environment, std::string_view command) {
  const std::string disable = variable_in(environment, "BUFPOOL_DISABLE");
  const std::string skip = variable_in(environment, "BUFPOOL_SKIP");
  const std::string only = variable_in(environment, "BUFPOOL_ONLY");
  bool is_disabled = false;
  if (parse_flag(disable, is_disabled) && is_disabled) {
    return formatted("BUFPOOL_DISABLE={} is set; take it out", printable(disable));
  }
  if (matches_any(command, skip)) {
    return formatted("BUFPOOL_SKIP={} leaves {} out", printable(skip), printable(command));
  }
  if (!only.empty() && !matches_any(command, only)) {
    return formatted("BUFPOOL_ONLY={} does not name {}", printable(only), printable(command));
  }
  return {};
}

std::string short_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string check_program(const std::string& path, Findings& findings) {
  std::string now = path;
  constexpr int kMostScripts = 5;
  for (int i = 0; i < kMostScripts; ++i) {
    const ProgramFile program = program_file(now);
    if (program.kind == ProgramFile::Kind::kUnreadable) {
      findings.note(now + " cannot be read; try again with sudo");
      return now;
    }
    if (program.kind == ProgramFile::Kind::kOther) {
      findings.no(now + " is no program for this machine");
      return now;
    }
    if (program.gains_rights) {
      findings.no(now +
                  " is set-uid or has capabilities: the loader ignores LD_PRELOAD there for "
                  "safety; start it as that user instead");
    }
    if (program.kind != ProgramFile::Kind::kScript) {
      check_binary(now, program, findings);
      if (forks_with_warnings(resolved(now))) {
        findings.note(
            "Python 3.12 and later warn at a fork beside the thread of the pool that "
            "gives memory back; -s TRIMMER=off starts none");
      }
      return now;
    }
    const bool is_env = program.interpreter.ends_with("/env");
    const std::string next =
        is_env ? path_of_command(program.interpreter_argument) : program.interpreter;
    findings.ok(formatted("{} is a script for {}", now, next.empty() ? "nothing here" : next));
    if (next.empty()) return now;
    now = next;
  }
  return now;
}

void check_preload(std::string_view value, const std::string& root, Findings& findings) {
  std::string text(value);
  std::replace(text.begin(), text.end(), ' ', ':');
  if (text.find(kOurs) == std::string::npos) {
    findings.no(
        "LD_PRELOAD did not have the library when the process was started; start it by "
        "`bufpool run -- COMMAND`, or set LD_PRELOAD in its unit");
  }
  for (const std::string_view item : split(text, ':')) check_item(printable(item), root, findings);
}

void check_allocators(std::string_view text, Findings& findings) {
  std::string allocator;
  if (!has_allocator(text, allocator)) return;
  findings.note(allocator + " is in the process as well; calls of its own names go there");
}

void check_limits(std::string_view limits, Findings& findings) {
  constexpr std::uint64_t kSmall = std::uint64_t{256} << 20;
  constexpr std::uint64_t kPage = std::uint64_t{4} << 20;
  constexpr std::uint64_t kFewMappings = 65530;
  std::uint64_t limit = 0;
  if (soft_limit(limits, "Max address space", limit)) {
    findings.note(formatted("ulimit -v is {}: the pool keeps within it{}", short_bytes(limit),
                            limit < kSmall ? ", and may have to do without buffers" : ""));
  }
  if (soft_limit(limits, "Max data size", limit)) {
    findings.note(formatted("ulimit -d is {}: the pool keeps within it", short_bytes(limit)));
  }
  if (soft_limit(limits, "Max file size", limit) && limit < kPage) {
    findings.note(
        formatted("ulimit -f is {}: there may be no statistics page", short_bytes(limit)));
  }
  if (number_in_file("/proc/sys/vm/overcommit_memory", 0) == 2) {
    findings.note("vm.overcommit_memory is 2: the system may refuse memory that is free");
  }
  const std::uint64_t mappings = number_in_file("/proc/sys/vm/max_map_count", kFewMappings);
  if (mappings < kFewMappings) {
    findings.note(
        formatted("vm.max_map_count is {}: a large program may run out of mappings", mappings));
  }
}

void check_library(const std::string& name, Findings& findings) {
  std::string library;
  try {
    library = library_path();
  } catch (const CommandError& error) {
    findings.no(error.what());
    return;
  }
  const Trial trial = try_library(library, name);
  for (const std::string& line : trial.wrong) {
    const bool is_missing = line.find("cannot open shared object") != std::string::npos;
    findings.note(line + (is_missing ? "; apt-get install libmimalloc2.0 may help" : ""));
  }
  if (!trial.is_loaded) {
    findings.no(library + " does not come up here; the lines above say why");
  } else if (trial.mode == "pass-through") {
    const std::string why = why_left_out(read_text_or_empty("/proc/self/environ"), name);
    findings.no("the library comes up and passes everything on: " +
                (why.empty() ? "ulimit -v may leave no memory" : why));
  } else {
    findings.ok(formatted("{} comes up here, in mode {}{}", library, trial.mode,
                          trial.mode == "locked" ? ": restartable sequences are missing here, or "
                                                   "BUFPOOL_MODE says so"
                                                 : ""));
  }
}

}  // namespace bufpool
