// SPDX-License-Identifier: MIT
// The library that programs are started with, and the variables that it takes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bufpool {

// Returns the full path of this command's file. It throws a CommandError without /proc.
[[nodiscard]] std::string own_file();

// Returns the full path of the library: beside the command, or where both were installed. It throws
// a CommandError if it is in neither place, or if LD_PRELOAD could not hold the path.
[[nodiscard]] std::string library_path();

// Returns the value of LD_PRELOAD with the library in front of what `now` holds already, once.
[[nodiscard]] std::string preload_value(const std::string& library, std::string_view now);
// Sets LD_PRELOAD for the programs that this process starts from now on.
void preload(const std::string& library);

// Sets a variable of the library: "RETAIN_MAX=64M" or "BUFPOOL_RETAIN_MAX=64M" sets
// BUFPOOL_RETAIN_MAX. It throws a CommandError if there is no such variable.
void set_variable(const std::string& setting);

// The names of all variables, without BUFPOOL_.
[[nodiscard]] const std::vector<std::string_view>& variable_names();

// Takes the place of this process: the first word is the command, found as the shell finds it. It
// throws a CommandError with the exit code that env(1) has for it.
[[noreturn]] void execute(const std::vector<std::string>& words);
// Returns the error for a command that could not be executed because of `error`.
[[noreturn]] void fail_to_execute(const std::string& command, int error);

}  // namespace bufpool
