// SPDX-License-Identifier: MIT
// Reads BUFPOOL_REPORT, which says where the exit report goes.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace bufpool {

// These are the values of the % words of a file name.
struct TargetNames {
  std::uint32_t pid;         // %p
  std::string_view command;  // %c, made fit to be part of one file name
  std::uint64_t unix_time;   // %t, in seconds
};

// It is the place that a setting names, or the reason why it names none.
struct ReportTarget {
  enum class Kind : std::uint8_t {
    kStderr,
    kOff,
    kFile,
    kTooLong,      // The file name and its NUL do not fit into the buffer.
    kUnknownWord,  // A percent sign is followed by an unknown letter, or by nothing.
  };
  Kind kind;
  const char* path;  // of kFile: the name in the caller's buffer, ended by a NUL; else null
};

// Returns the place that `setting`, the text of BUFPOOL_REPORT, names. It is stderr or off, in
// capitals or not, or a file name with %p %c %t, and %% for a percent sign. An empty text means
// stderr. The file name is written into `buffer`. A signal handler may call it.
[[nodiscard]] ReportTarget report_target(std::string_view setting, const TargetNames& names,
                                         std::span<char> buffer) noexcept;

}  // namespace bufpool
