// SPDX-License-Identifier: MIT
// How a verb gives up: an exception with one line for the user and the exit code of the command.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "cli/formatted.h"

namespace bufpool {

// The exit codes of the command. Those of a program that `run` starts are its own.
enum class ExitCode : int {
  kGood = 0,
  kFinding = 1,   // doctor found a reason; profile no samples; trim and reset had no answer
  kFailed = 125,  // the command itself failed, as with env(1)
  kCannotRun = 126,
  kNotFound = 127,
};

// What went wrong, in one line that says the process or file, the cause, and what to do.
class CommandError : public std::runtime_error {
 public:
  // The line has no newline at its end.
  explicit CommandError(const std::string& line, ExitCode code = ExitCode::kFailed)
      : std::runtime_error(line), code_(code) {}

  // Returns the exit code that the command ends with.
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

// Throws a CommandError with the formatted line.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw CommandError(formatted(format, std::forward<Args>(args)...));
}

}  // namespace bufpool
