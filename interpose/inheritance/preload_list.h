// SPDX-License-Identifier: MIT
// The list of libraries in LD_PRELOAD, as ld.so(8) reads it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace bufpool {

// Returns the part of a path behind its last slash.
constexpr std::string_view file_name(std::string_view path) noexcept {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// Whether an entry names the library that the loader knows by `path`. A name without a slash was
// looked for in the system's folders, and one with a dollar sign was filled in by the loader: both
// are compared by the name of the file. `same_file(entry, path)` says whether two paths lead to one
// file.
template <typename SameFile>
bool names_library(std::string_view entry, std::string_view path, SameFile same_file) noexcept {
  if (entry == path) return true;
  const bool has_slash = entry.find('/') != std::string_view::npos;
  const bool filled_in = entry.find('$') != std::string_view::npos;
  if (!has_slash || filled_in) return file_name(entry) == file_name(path);
  return same_file(entry, path);
}

// Takes the entries that name the library out of the list, in place. Entries are separated by
// spaces and colons. The others stay as they are, each with the separators in front of it; those in
// front of the list go. Returns the new length, which is no more than the old one.
template <typename SameFile>
std::size_t without_library(char* list, std::string_view path, SameFile same_file) noexcept {
  constexpr std::string_view kSeparators = " :";
  std::string_view rest(list);
  std::size_t length = 0;
  while (!rest.empty()) {
    const std::size_t gap = rest.find_first_not_of(kSeparators);
    if (gap == std::string_view::npos) break;
    const std::size_t end = std::min(rest.find_first_of(kSeparators, gap), rest.size());
    const std::string_view entry = rest.substr(gap, end - gap);
    if (!names_library(entry, path, same_file)) {
      const std::string_view moved = length == 0 ? entry : rest.substr(0, end);
      std::memmove(list + length, moved.data(), moved.size());
      length += moved.size();
    }
    rest.remove_prefix(end);
  }
  return length;
}

}  // namespace bufpool
