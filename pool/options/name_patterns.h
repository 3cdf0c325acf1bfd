// SPDX-License-Identifier: MIT
// Patterns of names, such as redis-*,nginx.
#pragma once

#include <cstddef>
#include <string_view>

namespace bufpool {

// Returns whether the whole name is as the pattern says: * stands for any characters, and ? for
// one. The time is bounded by the product of their lengths.
constexpr bool matches_pattern(std::string_view name, std::string_view pattern) noexcept {
  std::size_t at = 0;
  std::size_t in_pattern = 0;
  std::size_t after_star = std::string_view::npos;  // where the pattern goes on after the last *
  std::size_t star_ends = 0;                        // where that * ends in the name, so far
  while (at < name.size()) {
    const bool more = in_pattern < pattern.size();
    if (more && pattern[in_pattern] == '*') {
      after_star = ++in_pattern;
      star_ends = at;
    } else if (more && (pattern[in_pattern] == '?' || pattern[in_pattern] == name[at])) {
      ++in_pattern;
      ++at;
    } else if (after_star != std::string_view::npos) {
      in_pattern = after_star;
      at = ++star_ends;
    } else {
      return false;
    }
  }
  while (in_pattern < pattern.size() && pattern[in_pattern] == '*') ++in_pattern;
  return in_pattern == pattern.size();
}

// Returns whether the name is as one of the patterns says, which commas separate.
constexpr bool matches_any(std::string_view name, std::string_view patterns) noexcept {
  while (!patterns.empty()) {
    const std::size_t comma = patterns.find(',');
    const std::size_t end = comma < patterns.size() ? comma : patterns.size();
    if (matches_pattern(name, {patterns.data(), end})) return true;
    patterns.remove_prefix(end < patterns.size() ? end + 1 : end);
  }
  return false;
}

}  // namespace bufpool
