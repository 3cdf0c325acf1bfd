// SPDX-License-Identifier: MIT
#include "pool/telemetry/residence.h"

#include <algorithm>

#include "pool/options/policy.h"
#include "pool/platform/clock.h"
#include "pool/platform/memory.h"
#include "pool/platform/safe_calls.h"

namespace bufpool {

Residence::Residence() noexcept
    : safe_(platform::safe_calls()), began_ms_(platform::coarse_milliseconds()) {}

std::uint64_t Residence::bytes_in(std::uintptr_t start, std::uintptr_t end) noexcept {
  if (safe_ == platform::SafeCalls::kFew) return end - start;
  std::uint64_t bytes = 0;
  for (std::uintptr_t at = start; at < end;) {
    const std::uintptr_t page = platform::page_below(at);
    const std::uintptr_t next = std::min(page + platform::kPageBytes, end);
    if (is_resident(page)) bytes += next - at;
    at = next;
  }
  return bytes;
}

bool Residence::is_resident(std::uintptr_t page) noexcept {
  if (page - first_ >= pages_ * platform::kPageBytes && !look_at(page)) return true;
  return (resident_[(page - first_) / platform::kPageBytes] & 1) != 0;
}

// Makes a window begin at the page. Returns false if nothing is known of it.
bool Residence::look_at(std::uintptr_t page) noexcept {
  pages_ = 0;
  if (platform::coarse_milliseconds() - began_ms_ > policy::kResidencePatienceMs)
    safe_ = platform::SafeCalls::kFew;
  if (safe_ == platform::SafeCalls::kFew || page >= end_) return false;
  const std::size_t pages =
      std::min(kWindowPages, (platform::page_above(end_) - page) / platform::kPageBytes);
  if (!platform::see_resident(page, pages, resident_.data(), safe_)) return false;
  first_ = page;
  pages_ = pages;
  return true;
}

}  // namespace bufpool
