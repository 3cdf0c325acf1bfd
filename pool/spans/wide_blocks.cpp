// SPDX-License-Identifier: MIT
#include "pool/spans/wide_blocks.h"

#include "pool/mapping/huge_pages.h"
#include "pool/platform/memory.h"

namespace bufpool {

Taken WideBlocks::take(Block& block, const WideTake& wide) noexcept {
  if (!state_.is_open.load(std::memory_order_acquire)) return {};
  return BlockTaker(state_).take_wide(block, wide);
}

bool WideBlocks::give(Block block, std::size_t used) noexcept {
  const LockedSpans locked(state_);
  if (!locked) {
    state_.deferred.add({&block, 1}, true);
    return true;
  }
  Span& span = state_.span_of(block);
  if (!span.has_empty) return false;
  PageMap& empty = span.run->empty;
  const HugePages huge_pages(*state_.space, state_.geometry);
  empty.clear(huge_pages.pages_brought_by(span, block, used));
  span.has_empty = empty.count(pages_of(span, state_.geometry)) > 0;
  if (!span.has_empty) return false;
  ++state_.counters.overflows;
  state_.put({&block, 1});
  return true;
}

void WideBlocks::give_emptied(Block block, std::size_t used, std::uintptr_t from,
                              std::uintptr_t to) noexcept {
  const LockedSpans locked(state_);
  if (!locked) return state_.deferred.add({&block, 1}, true);
  Span& span = state_.span_of(block);
  PageMap& empty = span.run->empty;
  const HugePages huge_pages(*state_.space, state_.geometry);
  empty.clear(huge_pages.pages_brought_by(span, block, used));
  empty.set(span.run->pages_in(from, to));
  span.has_empty = true;
  ++state_.counters.overflows;
  state_.put({&block, 1});
}

void WideBlocks::note_emptied(Block block, std::uintptr_t from, std::uintptr_t to) noexcept {
  const LockedSpans locked(state_);
  if (!locked) return;
  Span& span = state_.span_of(block);
  span.run->empty.set(span.run->pages_in(from, to));
  span.has_empty = true;
}

void WideBlocks::before_purge(Block block, std::uintptr_t start, std::uintptr_t end) noexcept {
  HugePages(*state_.space, state_.geometry).leave(*state_.run_at(block), start, end);
}

bool WideBlocks::renew(Block block, std::uintptr_t start, std::uintptr_t end) noexcept {
  const HugePages huge_pages(*state_.space, state_.geometry);
  Run& run = *state_.run_at(block);
  huge_pages.leave(run, start, end);
  auto* const pages = reinterpret_cast<void*>(start);
  if (!platform::map_over(pages, end - start)) return false;
  huge_pages.advise(run, pages, end - start);
  return true;
}

}  // namespace bufpool
