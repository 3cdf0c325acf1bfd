// SPDX-License-Identifier: MIT
#include "pool/mapping/huge_pages.h"

#include <algorithm>

#include "pool/options/policy.h"
#include "pool/platform/memory.h"
#include "pool/platform/safe_calls.h"

namespace bufpool {

std::size_t HugePages::bytes_to_map(const Run& run, std::uint32_t spans) const noexcept {
  const std::size_t bytes = platform::page_above(run.start_of(spans, geometry_)) - run.start;
  if (!run.huge) return bytes;
  const std::size_t all = platform::page_above(run.start_of(run.span_count, geometry_)) - run.start;
  const bool whole = huge_page_above(all) - all <= policy::kLeastHugeGain;
  return std::min(huge_page_above(bytes), whole ? huge_page_above(all) : all);
}

void HugePages::advise(Run& run, void* start, std::size_t bytes) const noexcept {
  if (platform::expects_filter()) {
    run.huge = false;
  } else if (run.huge) {
    if (!platform::want_huge_pages(start, bytes)) return want_none(run);
    run.wants_huge = true;
  } else if (run.had_huge || space_.huge_pages().choice() == HugePagesChoice::kOff) {
    (void)platform::want_small_pages(start, bytes);
  }
}

void HugePages::want_none(Run& run) const noexcept {
  run.huge = false;
  if (!run.wants_huge.exchange(false)) return;
  auto* const start = reinterpret_cast<void*>(run.start);
  if (!platform::want_small_pages(start, run.committed)) run.wants_huge = true;
}

void HugePages::leave(Run& run, std::uintptr_t start, std::uintptr_t end) const noexcept {
  if (!run.had_huge || platform::expects_filter()) return;
  want_none(run);
  const std::uintptr_t head = std::min(end, run.start + huge_page_above(start - run.start));
  const std::uintptr_t tail = std::max(head, end - (end - run.start) % kHugePageBytes);
  platform::split_huge_pages(reinterpret_cast<void*>(start), head - start);
  platform::split_huge_pages(reinterpret_cast<void*>(tail), end - tail);
}

PageRange HugePages::pages_brought_by(const Span& span, Block block,
                                      std::size_t used) const noexcept {
  const Run& run = *span.run;
  const PageRange pages = run.pages_of(to_address(block), to_address(block) + used);
  if (!run.had_huge) return pages;
  const std::size_t last =
      huge_page_above(pages.last * platform::kPageBytes) / platform::kPageBytes;
  return {pages.first, std::min(last, pages_of(span, geometry_).last)};
}

std::uintptr_t HugePages::end_of_rest(const Run& run) const noexcept {
  const std::uintptr_t end = platform::page_above(run.start_of(run.cut, geometry_));
  if (!run.had_huge) return end;
  const std::size_t committed = run.committed.load(std::memory_order_acquire);
  return run.start + std::min(huge_page_above(end - run.start), committed);
}

bool HugePages::is_worth_a_split(const Run& run, const Span& span) const noexcept {
  if (!run.huge) return true;
  const std::size_t page = huge_page_of(run, span.number);
  std::uint32_t n = span.number;
  while (n > 0 && huge_page_of(run, n - 1) == page) --n;
  std::uint64_t kept = 0;
  for (; n < run.cut && huge_page_of(run, n) == page; ++n) kept += run.spans[n].kept;
  return kept >= policy::kLeastHugeGain;
}

}  // namespace bufpool
