// SPDX-License-Identifier: MIT
// Where the kernel has put the environment of the process.
#pragma once

#include <sys/auxv.h>

#include <cstdint>
#include <string_view>

namespace bufpool {

// Returns whether `text` lies in the memory in which the kernel has put the strings of the
// arguments and the environment, on the stack of the main thread. That memory is written to as any
// other. A program's own strings may be constants.
[[nodiscard]] inline bool is_in_start_environment(std::string_view text) noexcept {
  // The kernel's random bytes lie below the strings, and the name of the program's file behind
  // them.
  const std::uintptr_t below = getauxval(AT_RANDOM);
  const std::uintptr_t behind = getauxval(AT_EXECFN);
  const auto begin = reinterpret_cast<std::uintptr_t>(text.data());
  return below != 0 && below < begin && begin + text.size() < behind;
}

}  // namespace bufpool
