// SPDX-License-Identifier: MIT
// How much of what is free in the spans is resident: their records are copied under the lock, and
// the kernel is asked outside it.
#include <algorithm>
#include <array>

#include "pool/spans/shared_spans.h"
#include "pool/telemetry/residence.h"

namespace bufpool {

// Runs go from hand to hand meanwhile: one that is being looked at stays, as nobody drops a run
// that is swept.
std::uint64_t SharedSpans::resident_bytes(Residence& look) noexcept {
  constexpr std::uint32_t kSome = 32;
  std::array<Span, kSome> some;
  std::uint64_t bytes = 0;
  std::uintptr_t after = 0;
  for (;;) {
    Run* run = nullptr;
    std::uint32_t cut = 0;
    {
      const Locked locked(*this);
      if (!locked) return counters_.idle_bytes + counters_.free_bytes;
      run = next_to_look_at(after);
      if (run == nullptr) return bytes;
      ++run->lookers;
      cut = run->cut;
    }
    after = run->start;
    look.look_below(run->start + run->committed.load(std::memory_order_acquire));
    for (std::uint32_t from = 0; from < cut; from += kSome) {
      const std::uint32_t count = std::min(kSome, cut - from);
      {
        const Locked locked(*this);
        if (!locked) break;
        std::copy_n(run->spans + from, count, some.begin());
      }
      for (std::uint32_t i = 0; i < count; ++i) bytes += resident_bytes(some[i], look);
    }
    --run->lookers;
  }
}

// The run with the lowest address above `after`. Pre: locked.
Run* SharedSpans::next_to_look_at(std::uintptr_t after) const noexcept {
  Run* next = nullptr;
  for (Run* run = runs_; run != nullptr; run = run->next) {
    if (run->start > after && (next == nullptr || run->start < next->start)) next = run;
  }
  return next;
}

// Spans in no list are in use, or being given back.
std::uint64_t SharedSpans::resident_bytes(const Span& span, Residence& look) const noexcept {
  if (span.list == SpanList::kNone || span.list == SpanList::kPurged) return 0;
  const std::uintptr_t start = start_of(span);
  if (span.list == SpanList::kIdle) return look.bytes_in(start, start + geometry_.span_bytes);
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < geometry_.span_blocks; ++i) {
    if ((span.free[i / 64] >> (i % 64) & 1) == 0) continue;
    const Block block = block_at(span, i);
    bytes += look.bytes_in(block, block + geometry_.distance);
  }
  return bytes;
}

}  // namespace bufpool
