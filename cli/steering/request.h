// SPDX-License-Identifier: MIT
// What `trim`, `reset` and `report --append` have in common: they ask a process for something, and
// say what came of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cli/arguments.h"
#include "cli/pages/process_reader.h"
#include "cli/verb.h"

namespace bufpool {

struct Request {
  std::uint32_t verbs = 0;  // kStatsTrim and others
  std::uint64_t patience_ms = 1000;
  std::string refusal;                                  // what is said if the process refuses
  std::function<void(const PooledProcess&)> tell_done;  // says that it is done
};

// Asks the process, and says what came of it.
[[nodiscard]] ExitCode perform(const Request& request, const PooledProcess& process);

// Declares the arguments of such a verb. Once they are known, the action asks for `verbs`.
[[nodiscard]] Action prepare_request(Arguments& arguments, std::uint32_t verbs);

}  // namespace bufpool
