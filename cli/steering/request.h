// SPDX-License-Identifier: MIT
// What `trim` and `reset` have in common: they ask a process for something, and say what came of
// it.
#pragma once

#include <cstdint>
#include <string>

#include "cli/arguments.h"
#include "cli/verb.h"

namespace bufpool {

struct Request {
  std::string target;
  std::uint64_t patience_ms = 1000;
  std::uint32_t verbs = 0;  // kStatsTrim and others
};

// Declares the arguments of such a verb. Once they are known, the action asks for `verbs`.
[[nodiscard]] Action prepare_request(Arguments& arguments, std::uint32_t verbs);

}  // namespace bufpool
