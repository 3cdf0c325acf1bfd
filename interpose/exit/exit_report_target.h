// SPDX-License-Identifier: MIT
// Knows where the report at exit goes, as BUFPOOL_REPORT said at the start.
#pragma once

#include <climits>
#include <cstdint>
#include <span>
#include <string_view>

#include "pool/options/bounded_text.h"

namespace bufpool {

// Keeps the setting, because the program may change its environment and its folder. A
// relative name stays one of the folder that the process was started in.
class ExitReportTarget {
 public:
  enum class Kind : std::uint8_t { kOff, kStderr, kFile };

  // Keeps `setting`. If the name of a file is too long, it says so on stderr and keeps kOff. Pre:
  // called once, at start.
  void choose(std::string_view setting) noexcept;

  // Returns where the report goes.
  [[nodiscard]] Kind kind() const noexcept { return kind_; }

  // Returns the error because of which the start's folder is not known, which a relative name
  // needs, or 0. No report can be written then: the program's folder of now may be another one.
  [[nodiscard]] int folder_error() const noexcept { return folder_error_; }

  // Writes the path of the file for this process into `path` and returns it. Returns nullptr if it
  // does not fit. Pre: kind() is kFile. `command` is the process's name.
  [[nodiscard]] const char* path_now(std::string_view command, std::span<char> path) const noexcept;

 private:
  [[nodiscard]] bool keep(std::string_view setting) noexcept;

  Kind kind_ = Kind::kOff;
  int folder_error_ = 0;
  char setting_[PATH_MAX] = {};
};

}  // namespace bufpool
