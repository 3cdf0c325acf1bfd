// SPDX-License-Identifier: MIT
#include "pool/pages/zeroing.h"

#include <cstring>

#include "pool/platform/memory.h"

namespace bufpool {
namespace {

void wipe(std::uintptr_t start, std::uintptr_t end) noexcept {
  std::memset(reinterpret_cast<void*>(start), 0, end - start);
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

}  // namespace bufpool
