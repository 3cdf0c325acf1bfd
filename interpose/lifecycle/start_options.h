// SPDX-License-Identifier: MIT
// Reads the options that the process was started with, and says what is to be said of them.
#pragma once

#include <cstdint>

#include "pool/options/options.h"

namespace bufpool {

struct StartOptions {
  Options options{};
  bool secure = false;    // the program has more rights than its user (AT_SECURE)
  bool left_out = false;  // BUFPOOL_ONLY or BUFPOOL_SKIP wants no pool for this command
};

// Reads the environment, and complains of wrong variables on stderr. With BUFPOOL_STRICT a wrong
// one ends the process. A secure program gets the defaults, because its user's variables must not
// steer it. Pre: it is called once.
[[nodiscard]] StartOptions read_options() noexcept;

// Says on stderr the version, the mode and every option in force (BUFPOOL_VERBOSE).
void say_options(const Options& options) noexcept;

}  // namespace bufpool
