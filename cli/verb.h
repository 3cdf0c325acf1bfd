// SPDX-License-Identifier: MIT
// A verb of the command, such as `ps` in `bufpool ps`.
#pragma once

#include <functional>
#include <string_view>

#include "cli/arguments.h"
#include "cli/command_error.h"

namespace bufpool {

// Does what the verb is for, once its arguments are known. It throws a CommandError if it cannot.
using Action = std::function<ExitCode()>;

struct Verb {
  std::string_view name;
  std::string_view summary;  // one line, for the list of verbs
  // Command lines, one a line. A test runs each of them. $PID is a process under the pool, and
  // $FILE a recording of one.
  std::string_view examples;
  // Declares the verb's arguments, and returns what is to be done with them.
  Action (*prepare)(Arguments& arguments);
};

}  // namespace bufpool
