// SPDX-License-Identifier: MIT
// Asks a living process to do something, by the control word of its page.
#pragma once

#include <cstdint>

#include "cli/pages/process_reader.h"

namespace bufpool {

enum class Answer : std::uint8_t {
  kDone,
  kRefused,  // the library in the process does not know the verb
  kNone,     // none so far; an idle process answers when it next asks for a buffer
};

// Asks for `verbs` (kStatsTrim and others), and waits up to `patience_ms` for the answer. It throws
// a CommandError if the process may not be written to, is gone, or is another program now.
[[nodiscard]] Answer ask(const PooledProcess& process, std::uint32_t verbs,
                         std::uint64_t patience_ms);

}  // namespace bufpool
