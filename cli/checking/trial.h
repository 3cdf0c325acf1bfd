// SPDX-License-Identifier: MIT
// Starts this very command under the library for a moment, to see what the library and the loader
// say.
#pragma once

#include <string>
#include <vector>

namespace bufpool {

struct Trial {
  bool is_loaded = false;          // the library came up
  std::string mode;                // rseq, locked or pass-through
  std::vector<std::string> said;   // lines about variables in force: NAME=VALUE (SOURCE)
  std::vector<std::string> wrong;  // complaints, of the library about variables or of the loader
};

// Runs with the variables of this process, as a program of this name would that is started now.
[[nodiscard]] Trial try_library(const std::string& library, const std::string& name = "bufpool");

}  // namespace bufpool
