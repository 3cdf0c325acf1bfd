// SPDX-License-Identifier: MIT
#include "cli/profile/address_names.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "cli/formatted.h"
#include "cli/processes/proc_files.h"
#include "cli/processes/process_info.h"

namespace bufpool {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

bool parse_hex(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return error == std::errc{} && end == text.data() + text.size();
}

// Takes the word in front of the next blanks.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(line.find_first_not_of(' ', end), line.size()));
  return word;
}

// The process chose the path. A device may do something when it is opened, so it is looked at
// first.
Descriptor open_plain(const std::string& path) {
  const Descriptor place(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat entry = {};
  if (!place.is_open() || fstat(place.number(), &entry) != 0 || !S_ISREG(entry.st_mode)) return {};
  const std::string same = formatted("/proc/self/fd/{}", place.number());
  return Descriptor(open(same.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}
}  // namespace

std::string CodePlace::name() const {
  if (!function.empty()) return function;
  if (!module.empty()) return formatted("{}+{:#x}", module, offset);
  return formatted("{:#x}", address);
}

std::string AddressNames::code_lines(pid_t pid) {
  const std::string maps = read_text_or_empty(proc_path(pid, "maps"));
  std::string lines;
  for (std::string_view text = maps; !text.empty();) {
    const std::string_view line = take_line(text);
    std::string_view rest = line;
    take_word(rest);
    if (take_word(rest).find('x') != std::string_view::npos) lines.append(line).append("\n");
  }
  return lines;
}

void AddressNames::use(pid_t pid, std::string code_lines) {
  if (code_lines.empty() || (pid == pid_ && code_lines == maps_)) return;
  pid_ = pid;
  maps_ = std::move(code_lines);
  known_.clear();
  read_mappings();
}

void AddressNames::read_mappings() {
  mappings_.clear();
  for (std::string_view text = maps_; !text.empty();) {
    std::string_view line = take_line(text);
    Mapping mapping;
    mapping.range = take_word(line);
    take_word(line);
    const std::string_view offset = take_word(line);
    take_word(line);
    take_word(line);
    mapping.path = line;
    const std::size_t dash = std::min(mapping.range.find('-'), mapping.range.size() - 1);
    if (parse_hex(mapping.range.substr(0, dash), mapping.start) &&
        parse_hex(mapping.range.substr(dash + 1), mapping.end) &&
        parse_hex(offset, mapping.offset)) {
      mappings_.push_back(mapping);
    }
  }
  std::stable_sort(mappings_.begin(), mappings_.end(),
                   [](const Mapping& a, const Mapping& b) { return a.start < b.start; });
}

const AddressNames::Mapping* AddressNames::mapping_of(std::uint64_t address) const {
  const auto next = std::upper_bound(
      mappings_.begin(), mappings_.end(), address,
      [](std::uint64_t value, const Mapping& mapping) { return value < mapping.start; });
  if (next == mappings_.begin() || address >= std::prev(next)->end) return nullptr;
  return &*std::prev(next);
}

const CodePlace& AddressNames::place_of(std::uint64_t return_address) {
  const auto [at, is_new] = known_.try_emplace(return_address);
  if (is_new) at->second = looked_up(return_address);
  return at->second;
}

// A call may be the last instruction of a function, so its last byte is looked up.
CodePlace AddressNames::looked_up(std::uint64_t return_address) {
  CodePlace place{.address = return_address};
  const std::uint64_t call = return_address - 1;
  const Mapping* const found = mapping_of(call);
  if (found == nullptr || found->path.empty()) return place;
  std::string_view path = found->path;
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  place.module = printable(path.substr(path.rfind('/') + 1));
  place.offset = call - found->start + found->offset;
  if (path.starts_with('/')) place.function = symbols_of(*found).function_at(place.offset);
  return place;
}

const ElfSymbols& AddressNames::symbols_of(const Mapping& mapping) {
  const auto known = files_.find(mapping.path);
  if (known != files_.end()) return known->second;
  const Descriptor file = opened(mapping);
  ElfSymbols symbols = file.is_open() ? ElfSymbols(file, symbol_bytes_left_) : ElfSymbols();
  symbol_bytes_left_ -= symbols.bytes();
  return files_.emplace(mapping.path, std::move(symbols)).first->second;
}

// The path is that of the process, which may see other folders than this command. A file that has
// been replaced since is open in the process only. Its own program may be read by all who may read
// its mappings, and other files by root.
Descriptor AddressNames::opened(const Mapping& mapping) const {
  if (mapping.path.ends_with(kDeleted)) {
    const std::string program = proc_path(pid_, "exe");
    if (link_target(program) == mapping.path) return open_plain(program);
    return open_plain(proc_path(pid_, formatted("map_files/{}", mapping.range)));
  }
  Descriptor file = open_plain(proc_path(pid_, "root") + std::string(mapping.path));
  return file.is_open() ? std::move(file) : open_plain(std::string(mapping.path));
}

}  // namespace bufpool
