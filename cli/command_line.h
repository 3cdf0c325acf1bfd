// SPDX-License-Identifier: MIT
// The command line as a whole.
#pragma once

#include <span>

#include "cli/verb.h"

namespace bufpool {

// Parses the words, performs the verb that they name, and prints what went wrong on stderr. Returns
// the exit code.
int run_command_line(std::span<const Verb* const> verbs, int count, char** words);

}  // namespace bufpool
