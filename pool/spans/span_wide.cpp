// SPDX-License-Identifier: MIT
// Blocks of which a part only has pages: those that buffers grow in, and those that pages moved out
// of. Only where a span is one block is it known which.
#include "pool/spans/shared_spans.h"

namespace bufpool {

Span* SharedSpans::choose_wide() noexcept {
  if (Span* const idle = lists_.front(SpanList::kIdle)) return idle;
  if (Span* const purged = lists_.front(SpanList::kPurged)) return purged;
  return carve();
}

void SharedSpans::take_wide_locked(const WideTake& wide, Block& block, Taken& taken) noexcept {
  Span* const span = choose_wide();
  if (span == nullptr) return;
  forget_kept(*span);
  taken.lent_bytes = span->kept > wide.used ? span->kept - wide.used : 0;
  if (wide.offset != WideTake::kAnywhere) span->offset = static_cast<std::uint16_t>(wide.offset);
  block = block_at(*span, 0);
  const PageRange range = pages_brought_by(*span, block, wide.used);
  const std::size_t fresh = span->run->empty.clear(range.first, range.last);
  if (fresh > 0) note_fresh(*span, fresh * platform::kPageBytes, taken);
  span->free[0] = 0;
  span->free_blocks = 0;
  span->zero = false;
  span->was_used = span->touched = span->run->touched = true;
  taken.count = 1;
  file(*span);
}

bool SharedSpans::give_grown(Block block, std::size_t used) noexcept {
  const Locked locked(*this);
  if (!locked) {
    defer({&block, 1}, true);
    return true;
  }
  Span& span = span_of(block);
  if (!span.has_empty) return false;
  const PageRange range = pages_brought_by(span, block, used);
  span.run->empty.clear(range.first, range.last);
  const PageRange all = pages_of_span(span);
  span.has_empty = span.run->empty.count(all.first, all.last) > 0;
  if (!span.has_empty) return false;
  ++counters_.overflows;
  give_locked({&block, 1});
  return true;
}

void SharedSpans::give_emptied(Block block, std::size_t used, std::uintptr_t from,
                               std::uintptr_t to) noexcept {
  const Locked locked(*this);
  if (!locked) return defer({&block, 1}, true);
  Span& span = span_of(block);
  const PageRange written = pages_brought_by(span, block, used);
  span.run->empty.clear(written.first, written.last);
  const PageRange emptied = span.run->pages_in(from, to);
  span.run->empty.set(emptied.first, emptied.last);
  span.has_empty = true;
  ++counters_.overflows;
  give_locked({&block, 1});
}

void SharedSpans::note_emptied(Block block, std::uintptr_t from, std::uintptr_t to) noexcept {
  const Locked locked(*this);
  if (!locked) return;
  Span& span = span_of(block);
  const PageRange range = span.run->pages_in(from, to);
  span.run->empty.set(range.first, range.last);
  span.has_empty = true;
}

}  // namespace bufpool
