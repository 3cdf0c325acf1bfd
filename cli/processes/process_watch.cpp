// SPDX-License-Identifier: MIT
#include "cli/processes/process_watch.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace bufpool {

ProcessWatch::ProcessWatch(pid_t pid)
    : process_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}

// Where the kernel has no descriptors for processes (before Linux 5.3) it waits for the time only.
bool ProcessWatch::wait(std::uint64_t milliseconds) const {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(milliseconds);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd ended{process_.number(), POLLIN, 0};
    const int wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 1 << 30));
    const int found = poll(&ended, 1, wait);
    if (found > 0) return false;
    if (found == 0 && left <= wait) return true;
  }
}

}  // namespace bufpool
