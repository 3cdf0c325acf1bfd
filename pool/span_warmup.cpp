// SPDX-License-Identifier: MIT
// BUFPOOL_WARMUP: spans without pages get theirs before the first request does.
#include "pool/platform.h"
#include "pool/shared_spans.h"

namespace bufpool {
namespace {

// What was never written reads as zero and may stay so: the pages are written, not changed.
void touch(std::uintptr_t start, std::uintptr_t end) noexcept {
  for (std::uintptr_t at = start; at < end; at += platform::kPageBytes) {
    *reinterpret_cast<volatile char*>(at) = 0;
  }
}

}  // namespace

// A span without pages, out of reach of all others. False: there is none as long as no more than
// `committed` is; without the lock that is all that can be.
bool SharedSpans::take_cold(SpanNumber& n, std::size_t& committed) noexcept {
  const Locked locked(*this);
  committed = locked ? committed_.load(std::memory_order_relaxed) : bytes_;
  if (!locked || (lists_.empty(SpanList::kPurged) && !carve(n))) return false;
  n = lists_.front(SpanList::kPurged);
  lists_.move_to(n, SpanList::kNone);
  return true;
}

// Taken out of reach, touched without the lock, and filed as idle: counted as nothing at all.
std::uint64_t SharedSpans::warm_up(std::uint64_t blocks) noexcept {
  std::uint64_t warmed = 0;
  while (is_open() && warmed < blocks) {
    SpanNumber n = 0;
    std::size_t committed = 0;
    if (!take_cold(n, committed)) {
      if (!commit_more(committed)) break;
      continue;
    }
    touch(span_start(n), span_start(n + 1));
    lists_[n].purging = true;  // without having been purged: it has its pages
    lists_[n].since_ms = static_cast<std::uint32_t>(platform::coarse_milliseconds());
    hand_back(n, false);
    file_returned();
    warmed += span_blocks_;
  }
  return warmed;
}

}  // namespace bufpool
