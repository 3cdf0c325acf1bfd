// SPDX-License-Identifier: MIT
// BUFPOOL_WARMUP: spans without pages get theirs before the first request does.
#include "pool/platform/memory.h"
#include "pool/spans/shared_spans.h"

namespace bufpool {
namespace {

// Memory that was never written reads as zero and stays so: the pages are written, not changed.
void touch(std::uintptr_t start, std::uintptr_t end) noexcept {
  for (std::uintptr_t at = start; at < end; at += platform::kPageBytes) {
    *reinterpret_cast<volatile char*>(at) = 0;
  }
}

}  // namespace

// Taken out of reach, touched without the lock, and filed as idle: counted as nothing at all.
std::uint64_t SharedSpans::warm_up(std::uint64_t blocks) noexcept {
  std::uint64_t warmed = 0;
  while (is_open() && warmed < blocks) {
    Span* span = nullptr;
    Growth growth{};
    {
      const Locked locked(*this);
      if (!locked) break;
      span = lists_.front(SpanList::kPurged);
      if (span == nullptr) span = carve();
      came_along_ = 0;  // is warm, too
      if (span != nullptr) set_aside(*span);
      if (span == nullptr) growth = choose_growth();
    }
    if (span == nullptr) {
      if (!grow(growth)) break;
      continue;
    }
    touch(start_of(*span), start_of(*span) + geometry_.span_bytes);
    const Locked locked(*this);
    if (!locked) {
      hand_back(*span);
      break;
    }
    const PageRange range = pages_of_span(*span);
    span->run->empty.clear(range.first, range.last);
    span->purging = span->has_empty = false;
    file(*span);
    warmed += geometry_.span_blocks;
  }
  return warmed;
}

}  // namespace bufpool
