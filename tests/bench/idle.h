// SPDX-License-Identifier: MIT
// Lets the programs of scripts/bench memory take turns with it. Neither side of the talk allocates.
// A single call would give the allocator an occasion to tidy up, and the measurement is of what it
// does without one.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace bufpool::bench {

inline void tell(std::string_view line) noexcept {
  const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    _exit(1);
  }
}

inline void tell_number(std::string_view what, double number) noexcept {
  char line[64];
  const int length = std::snprintf(line, sizeof line, "%.*s %.0f\n", static_cast<int>(what.size()),
                                   what.data(), number);
  tell({line, static_cast<std::size_t>(length)});
}

// Returns once the other side says something or has gone.
inline void wait_for_word() noexcept {
  char byte = 0;
  static_cast<void>(!read(STDIN_FILENO, &byte, 1));
}

// Ends the program if there is no memory: a smaller burst than asked for must not pass for a better
// one.
inline char* allocate(std::size_t size) noexcept {
  auto* const buffer = static_cast<char*>(std::malloc(size));
  if (buffer == nullptr) {
    constexpr std::string_view kMessage = "out of memory\n";
    static_cast<void>(!write(STDERR_FILENO, kMessage.data(), kMessage.size()));
    _exit(1);
  }
  return buffer;
}

}  // namespace bufpool::bench
