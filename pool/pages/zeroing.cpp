// SPDX-License-Identifier: MIT
#include "pool/pages/zeroing.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "pool/options/policy.h"
#include "pool/platform/memory.h"
#include "pool/platform/safe_calls.h"
#include "pool/runs/huge_growth.h"

namespace bufpool {
namespace {

void wipe(std::uintptr_t start, std::uintptr_t end) noexcept {
  std::memset(reinterpret_cast<void*>(start), 0, end - start);
}

// Tells whether fewer than half of the pages are resident, those that are shared with a neighbour
// included. Pre: [start, end) is a huge page at most.
bool is_mostly_empty(std::uintptr_t start, std::uintptr_t end) noexcept {
  std::array<unsigned char, kHugePageBytes / platform::kPageBytes> seen;
  const std::uintptr_t first = platform::page_below(start);
  const std::size_t pages = (platform::page_above(end) - first) / platform::kPageBytes;
  if (!platform::see_resident(first, pages, seen.data(), platform::SafeCalls::kAny)) return false;
  const auto resident = std::count_if(seen.begin(), seen.begin() + pages,
                                      [](unsigned char page) { return (page & 1) != 0; });
  return 2 * static_cast<std::size_t>(resident) < pages;
}

// Says whether to look at pages pays, and does no harm.
bool is_worth_a_look(std::size_t bytes) noexcept {
  return bytes >= policy::kLeastLookedAtToClear && !platform::expects_filter() &&
         platform::safe_calls() == platform::SafeCalls::kAny;
}

}  // namespace

bool make_zero(std::uintptr_t start, std::uintptr_t end, ZeroEnds known) noexcept {
  const std::uintptr_t first = platform::page_above(start);
  const std::uintptr_t last = platform::page_below(end);
  if (first >= last) return false;
  if (!platform::purge(reinterpret_cast<void*>(first), last - first)) return false;
  if (!known.start) wipe(start, first);
  if (!known.end) wipe(last, end);
  return true;
}

// Pieces end where huge pages do: a huge page that is resident is written.
void clear(std::uintptr_t start, std::uintptr_t end) noexcept {
  if (!is_worth_a_look(end - start)) return wipe(start, end);
  while (start < end) {
    const std::uintptr_t border = (start | (kHugePageBytes - 1)) + 1;
    const std::uintptr_t next = std::min(end, border);
    if (!is_mostly_empty(start, next) || !make_zero(start, next)) wipe(start, next);
    start = next;
  }
}

}  // namespace bufpool
