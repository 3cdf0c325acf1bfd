// SPDX-License-Identifier: MIT
#include "report/deadline.h"

#include <time.h>

#include <algorithm>
#include <climits>

namespace bufpool {

std::int64_t Deadline::now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

int Deadline::until(std::int64_t time) noexcept {
  return static_cast<int>(std::clamp<std::int64_t>(time - now(), 0, INT_MAX));
}

}  // namespace bufpool
