// SPDX-License-Identifier: MIT
// Where BUFPOOL_REPORT sends the exit report.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace bufpool {

// The meanings of a file name's % words.
struct TargetNames {
  std::uint32_t pid;         // %p
  std::string_view command;  // %c, made fit to be part of one file name
  std::uint64_t unix_time;   // %t, in seconds
};

struct ReportTarget {
  enum class Kind : std::uint8_t { kStderr, kOff, kFile, kTooLong, kUnknownWord };
  Kind kind;
  const char* path;  // of kFile: in the caller's buffer, NUL-terminated; else null
};

// `setting` is BUFPOOL_REPORT's text: stderr or off in any case, else a file name with %p %c %t
// and %% for a percent sign. Nothing at all counts as not set: stderr. kTooLong: the name and its
// NUL do not fit into `buffer`. kUnknownWord: a % followed by something else, or by nothing.
[[nodiscard]] ReportTarget report_target(std::string_view setting, const TargetNames& names,
                                         std::span<char> buffer) noexcept;

}  // namespace bufpool
