// SPDX-License-Identifier: MIT
#include "pool/backing/altered_ranges.h"

#include <algorithm>

namespace bufpool::backing {

// A program may alter the same pages over and over.
void AlteredRanges::add(std::uintptr_t start, std::size_t bytes) noexcept {
  for (Range& range : ranges_) {
    std::uintptr_t held = 0;
    if (range.start.compare_exchange_strong(held, start)) {
      count_.fetch_add(1);
    } else if (held != start) {
      continue;
    }
    range.bytes.store(std::max(bytes, range.bytes.load()));
    return;
  }
}

bool AlteredRanges::take(std::uintptr_t start, std::size_t bytes) noexcept {
  bool found = false;
  for (Range& range : ranges_) {
    const std::uintptr_t held = range.start.load();
    if (held == 0 || held >= start + bytes || held + range.bytes.load() <= start) continue;
    range.bytes.store(0);
    range.start.store(0);
    count_.fetch_sub(1);
    found = true;
  }
  return found;
}

}  // namespace bufpool::backing
