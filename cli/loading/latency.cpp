// SPDX-License-Identifier: MIT
#include "cli/loading/latency.h"

#include <numeric>

namespace bufpool {

std::uint64_t Latency::count() const noexcept {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::uint64_t Latency::within(std::uint64_t parts) const noexcept {
  constexpr double kMillion = 1e6;
  const auto wanted = static_cast<double>(count()) * static_cast<double>(parts) / kMillion;
  double seen = 0;
  std::uint64_t end = 0;
  for_each([&](std::uint64_t, std::uint64_t to, std::uint64_t calls) {
    if (seen < wanted || end == 0) end = to - 1;
    seen += static_cast<double>(calls);
  });
  return end;
}

}  // namespace bufpool
