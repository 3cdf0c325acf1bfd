// SPDX-License-Identifier: MIT
#include "pool/mapping/span_warmup.h"

#include "pool/mapping/span_growth.h"
#include "pool/platform/memory.h"

namespace bufpool {
namespace {

// Memory that was never written reads as zero and stays so: the pages are written, but not changed.
void touch(std::uintptr_t start, std::uintptr_t end) noexcept {
  for (std::uintptr_t at = start; at < end; at += platform::kPageBytes) {
    *reinterpret_cast<volatile char*>(at) = 0;
  }
}

// Sets a span without pages aside; nullptr: there is none. The rest of a huge page that came along
// gets warm, too, so no take is to tell of it.
Span* detach_span_without_pages(SpanState& state) noexcept BUFPOOL_REQUIRES(state.lock) {
  Span* span = state.lists.front(SpanList::kPurged);
  if (span == nullptr) span = carve_span(state);
  state.came_along = 0;
  if (span != nullptr) state.set_aside(*span);
  return span;
}

void note_touched(SpanState& state, Span& span) noexcept BUFPOOL_REQUIRES(state.lock) {
  span.run->empty.clear(pages_of(span, state.geometry));
  span.purging = span.has_empty = false;
  state.file(span);
}

}  // namespace

// The spans are taken out of reach meanwhile, and nothing of it is counted.
std::uint64_t warm_up(SpanState& state, std::uint64_t blocks) noexcept {
  std::uint64_t warmed = 0;
  while (state.is_open.load(std::memory_order_acquire) && warmed < blocks) {
    Span* span = nullptr;
    GrowthStep step{};
    {
      const LockedSpans locked(state);
      if (!locked) break;
      span = detach_span_without_pages(state);
      if (span == nullptr) step = choose_growth(state);
    }
    if (span == nullptr) {
      if (!grow(state, step)) break;
      continue;
    }
    const std::uintptr_t start = start_of(*span, state.geometry);
    touch(start, start + state.geometry.span_bytes);
    const LockedSpans locked(state);
    if (!locked) {
      state.returned.add(*span);
      break;
    }
    note_touched(state, *span);
    warmed += state.geometry.span_blocks;
  }
  return warmed;
}

}  // namespace bufpool
