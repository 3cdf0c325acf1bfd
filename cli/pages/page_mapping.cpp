// SPDX-License-Identifier: MIT
#include "cli/pages/page_mapping.h"

#include <algorithm>
#include <charconv>

#include "cli/processes/proc_files.h"
#include "pool/telemetry/stats_page_layout.h"

namespace bufpool {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHexadecimal = "0123456789abcdef";
constexpr std::string_view kDeleted = " (deleted)";

// Whether the path is that of a page in a folder: FOLDER/PID.NUMBER.
bool is_named_page(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.find('.');
  if (dot == 0 || dot == std::string_view::npos || dot + 1 == name.size()) return false;
  return name.substr(0, dot).find_first_not_of(kDigits) == std::string_view::npos &&
         name.substr(dot + 1).find_first_not_of(kHexadecimal) == std::string_view::npos;
}

bool parse_range(std::string_view text, PageMapping& mapping) {
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, mapping.start, 16);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-') return false;
  return std::from_chars(first.ptr + 1, end, mapping.end, 16).ec == std::errc{} &&
         mapping.end > mapping.start;
}

// A line is START-END RIGHTS OFFSET DEVICE INODE PATH.
std::optional<PageMapping> page_in(std::string_view line) {
  const std::size_t at = line.find('/');
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view path = line.substr(at);
  constexpr std::string_view kMemory = "/memfd:";
  PageMapping mapping;
  if (path.starts_with(kMemory) && path.substr(kMemory.size()).starts_with(kStatsName)) {
    if (parse_range(line, mapping)) return mapping;
    return std::nullopt;
  }
  std::string_view file = path;
  if (file.ends_with(kDeleted)) file.remove_suffix(kDeleted.size());
  if (!is_named_page(file) || !parse_range(line, mapping)) return std::nullopt;
  mapping.path = file;
  return mapping;
}

}  // namespace

std::optional<PageMapping> find_page_mapping(std::string_view maps) {
  // Few mappings are shared and writable; there may be tens of thousands of others.
  constexpr std::string_view kShared = " rw-s 00000000 ";
  for (std::size_t at = maps.find(kShared); at != std::string_view::npos;
       at = maps.find(kShared, at + 1)) {
    const std::size_t begin = maps.rfind('\n', at) + 1;  // npos + 1 is the start
    const std::size_t end = std::min(maps.find('\n', at), maps.size());
    std::optional<PageMapping> found = page_in(maps.substr(begin, end - begin));
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace bufpool
