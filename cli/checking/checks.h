// SPDX-License-Identifier: MIT
// What may keep the pool from being active, one function for each kind of reason.
#pragma once

#include <string>
#include <string_view>

#include "cli/checking/findings.h"

namespace bufpool {

// The program's file: static, set-uid, of another libc, with an allocator of its own, a script. It
// adds a note for Python, whose fork warns of threads. Returns the path of what runs in the end: of
// a script, the program that it is for.
std::string check_program(const std::string& path, Findings& findings);
// A value of LD_PRELOAD: relative paths, files that are not there, other allocators, sanitizers.
// `root` stands in front of paths: "", or /proc/PID/root.
void check_preload(std::string_view value, const std::string& root, Findings& findings);
// Names of other allocators among libraries or mappings.
void check_allocators(std::string_view text, Findings& findings);
// The text of /proc/PID/limits, and what holds for the whole machine.
void check_limits(std::string_view limits, Findings& findings);
// Starts a program of this name under the library here, and tells what came of it.
void check_library(const std::string& name, Findings& findings);

// Returns the value of a variable in the text of /proc/PID/environ; empty if it is not set.
[[nodiscard]] std::string variable_in(std::string_view environment, std::string_view name);
// Returns which variable of such a text keeps the pool from a command of this name; empty if none
// does.
[[nodiscard]] std::string why_left_out(std::string_view environment, std::string_view command);
// Returns the last part of a path, as BUFPOOL_ONLY and BUFPOOL_SKIP name commands.
[[nodiscard]] std::string short_name(std::string_view path);

}  // namespace bufpool
