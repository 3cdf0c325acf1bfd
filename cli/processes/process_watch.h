// SPDX-License-Identifier: MIT
// Waits for time to pass, or for a process to end.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "report/descriptor.h"

namespace bufpool {

class ProcessWatch {
 public:
  // The process is the one that has this number now.
  explicit ProcessWatch(pid_t pid);

  // Waits so long. Returns false at once if the process has ended, or as soon as it ends.
  [[nodiscard]] bool wait(std::uint64_t milliseconds) const;

 private:
  Descriptor process_;
};

}  // namespace bufpool
