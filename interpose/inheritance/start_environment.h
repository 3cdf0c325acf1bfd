// SPDX-License-Identifier: MIT
// The environment as the kernel has put it into the process.
#pragma once

#include <string_view>

namespace bufpool {

// Returns whether `text` lies in the memory in which the kernel has put the strings of the
// arguments and the environment, on the stack of the main thread. That memory is written to as any
// other. A program's own strings may be constants.
[[nodiscard]] bool is_in_start_environment(std::string_view text) noexcept;

// Takes this library out of LD_PRELOAD, and every variable of its own out of the environment, so
// that programs which this process executes start without it (BUFPOOL_INHERIT=0). Other libraries
// of LD_PRELOAD stay. No string is moved. Pre: called at start, before main, by the only thread.
void keep_from_children() noexcept;

}  // namespace bufpool
