// SPDX-License-Identifier: MIT
// What may keep the pool from being active, one function for each kind of reason.
#pragma once

#include <string>
#include <string_view>

#include "cli/checking/findings.h"

namespace bufpool {

// The program's file: static, set-uid, of another libc, with an allocator of its own, a script. It
// adds a note for Python, whose fork warns of threads.
void check_program(const std::string& path, Findings& findings);
// A value of LD_PRELOAD: relative paths, files that are not there, other allocators, sanitizers.
// `root` stands in front of paths: "", or /proc/PID/root.
void check_preload(std::string_view value, const std::string& root, Findings& findings);
// Names of other allocators among libraries or mappings.
void check_allocators(std::string_view text, Findings& findings);
// The text of /proc/PID/limits, and what holds for the whole machine.
void check_limits(std::string_view limits, Findings& findings);
// Starts a program under the library here, and tells what came of it.
void check_library(Findings& findings);

}  // namespace bufpool
