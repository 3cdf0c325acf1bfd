// SPDX-License-Identifier: MIT
// What a program's file says of whether a library can be preloaded into it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bufpool {

struct ProgramFile {
  enum class Kind : std::uint8_t {
    kUnreadable,
    kScript,   // another program is to run it: `interpreter` and its arguments
    kDynamic,  // `interpreter` is the loader
    kStatic,
    kOther,  // no program of this machine
  };
  Kind kind = Kind::kUnreadable;
  std::string interpreter;
  std::string interpreter_argument;    // of a script such as #!/usr/bin/env python3
  std::vector<std::string> libraries;  // that it names itself
  bool defines_malloc = false;         // in its table of symbols for the loader
  bool gains_rights = false;           // set-uid, set-gid or with capabilities of its own
};

// Reads as much of the file as is needed. It throws nothing: what cannot be read is kUnreadable,
// and what makes no sense is kOther.
[[nodiscard]] ProgramFile program_file(const std::string& path);

// Returns the path of a command, found in PATH as the shell finds it; empty if there is none.
[[nodiscard]] std::string path_of_command(const std::string& command);

}  // namespace bufpool
