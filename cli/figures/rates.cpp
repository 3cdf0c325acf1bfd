// SPDX-License-Identifier: MIT
#include "cli/figures/rates.h"

#include <algorithm>

#include "report/figures.h"

namespace bufpool {

std::uint64_t in_use_bytes(const ClassSnapshot& row) { return row.in_use * row.buffer_bytes; }

Sums sums_of(const Snapshot& snapshot) {
  const ClassSnapshot totals = totals_of(snapshot);
  Sums sums;
  sums.gets = totals.gets;
  sums.hits = totals.hits;
  sums.misses = totals.misses;
  sums.fallbacks = totals.fallbacks;
  sums.idle_bytes = totals.idle;
  sums.retained_bytes = totals.retained;
  sums.purged_bytes = totals.purged;
  sums.faulted_bytes = totals.faulted;
  sums.resident_bytes = snapshot.resident;
  for (const ClassSnapshot& row : snapshot.classes) sums.in_use_bytes += in_use_bytes(row);
  return sums;
}

std::uint64_t growth(std::uint64_t before, std::uint64_t now) {
  return now - std::min(before, now);
}

std::uint64_t per_second(std::uint64_t growth, std::uint64_t elapsed_ms) {
  if (elapsed_ms == 0) return 0;
  return static_cast<std::uint64_t>(static_cast<double>(growth) * 1000 /
                                    static_cast<double>(elapsed_ms));
}

}  // namespace bufpool
