// SPDX-License-Identifier: MIT
#include "pool/spans/span_residence.h"

#include <algorithm>
#include <array>

#include "pool/telemetry/residence.h"

namespace bufpool {
namespace {

// Returns the resident bytes of the free blocks of a span. A span that stands in no list is in use,
// or gives its pages back.
std::uint64_t resident_in(const Span& span, const Geometry& geometry, Residence& look) noexcept {
  if (span.list == SpanList::kNone || span.list == SpanList::kPurged) return 0;
  const std::uintptr_t start = start_of(span, geometry);
  if (span.list == SpanList::kIdle) return look.bytes_in(start, start + geometry.span_bytes);
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < geometry.span_blocks; ++i) {
    if (!is_free(span, i)) continue;
    const std::uintptr_t first = to_address(block_at(span, i, geometry));
    bytes += look.bytes_in(first, first + geometry.distance);
  }
  return bytes;
}

// Returns the run with the lowest address above `after`, or nullptr if there is none.
Run* run_above(std::uintptr_t after, const SpanState& state) noexcept BUFPOOL_REQUIRES(state.lock) {
  Run* next = nullptr;
  for (Run* run = state.runs.first(); run != nullptr; run = run->next) {
    if (run->start > after && (next == nullptr || run->start < next->start)) next = run;
  }
  return next;
}

std::uint64_t resident_in(Run& run, std::uint32_t cut, SpanState& state, Residence& look) noexcept {
  constexpr std::uint32_t kSome = 32;
  std::array<Span, kSome> some;
  std::uint64_t bytes = 0;
  for (std::uint32_t from = 0; from < cut; from += kSome) {
    const std::uint32_t count = std::min(kSome, cut - from);
    {
      const LockedSpans locked(state);
      if (!locked) break;
      std::copy_n(run.spans + from, count, some.begin());
    }
    for (std::uint32_t i = 0; i < count; ++i) bytes += resident_in(some[i], state.geometry, look);
  }
  return bytes;
}

}  // namespace

// Runs come and go meanwhile. One that is being looked at stays, because it has a looker.
std::uint64_t resident_bytes(SpanState& state, Residence& look) noexcept {
  std::uint64_t bytes = 0;
  for (std::uintptr_t after = 0;;) {
    Run* run = nullptr;
    std::uint32_t cut = 0;
    {
      const LockedSpans locked(state);
      if (!locked) return state.figures.idle_bytes() + state.figures.free_bytes();
      run = run_above(after, state);
      if (run == nullptr) return bytes;
      ++run->lookers;
      cut = run->cut;
    }
    after = run->start;
    look.look_below(run->start + run->committed.load(std::memory_order_acquire));
    bytes += resident_in(*run, cut, state, look);
    --run->lookers;
  }
}

}  // namespace bufpool
