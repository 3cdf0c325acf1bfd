// SPDX-License-Identifier: MIT
// How much of what is free in the spans is resident: their records are copied under the lock, and
// the kernel is asked outside it.
#include <algorithm>
#include <array>

#include "pool/residence.h"
#include "pool/shared_spans.h"

namespace bufpool {

std::uint64_t SharedSpans::resident_bytes(Residence& look) noexcept {
  constexpr SpanNumber kSome = 32;
  std::array<Span, kSome> some;
  std::uint64_t bytes = 0;
  look.look_below(start_ + committed_.load(std::memory_order_acquire));
  const SpanNumber end = carved_.load(std::memory_order_acquire);
  for (SpanNumber from = 0; from < end; from += kSome) {
    const SpanNumber count = std::min(kSome, end - from);
    {
      const Locked locked(*this);
      if (!locked) return counters_.idle_bytes + counters_.free_bytes;
      std::copy_n(&lists_[from], count, some.begin());
    }
    for (SpanNumber i = 0; i < count; ++i) bytes += resident_bytes(from + i, some[i], look);
  }
  return bytes;
}

// Spans in no list are in use, or being given back.
std::uint64_t SharedSpans::resident_bytes(SpanNumber n, const Span& span,
                                          Residence& look) const noexcept {
  if (span.list == SpanList::kNone || span.list == SpanList::kPurged) return 0;
  if (span.list == SpanList::kIdle) return look.bytes_in(span_start(n), span_start(n + 1));
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < span_blocks_; ++i) {
    if ((span.free[i / 64] >> (i % 64) & 1) == 0) continue;
    bytes += look.bytes_in(block_at(n, i), block_at(n, i + 1));
  }
  return bytes;
}

}  // namespace bufpool
