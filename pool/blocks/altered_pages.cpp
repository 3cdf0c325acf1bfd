// SPDX-License-Identifier: MIT
#include "pool/blocks/altered_pages.h"

#include <algorithm>

#include "pool/platform/memory.h"
#include "pool/platform/safe_calls.h"

namespace bufpool {
namespace {

// Holds the whole pages of a block. The pages of a slot are the block's own from end to end, guard
// line included. Elsewhere the pages at its ends hold guard lines, too.
struct Pages {
  Pages(Block block, ClassIndex c) noexcept
      : first(has_slots(c) ? platform::page_below(to_address(block))
                           : platform::page_above(buffer_address(block, gap_bytes(c)))),
        last(has_slots(c) ? first + span_bytes(c) : platform::page_below(end_address(block, c))) {}

  std::uintptr_t first;
  std::uintptr_t last;
};

}  // namespace

void AlteredPages::note(std::uintptr_t start, std::size_t bytes, Alteration how) noexcept {
  if (platform::expects_filter()) return;  // the look at a guard line takes a system call
  const std::uintptr_t end = start + bytes;
  for (std::uintptr_t at = start; at < end && parts_.tables->owns(at);) {
    const ClassIndex c = parts_.tables->class_at(at);
    SpanLookup spans = parts_.spans->lookup(c);
    const Block block = spans.block_around(at);
    if (block == kNoBlock) return;
    const Pages pages(block, c);
    const bool holds_pages = std::max(start, pages.first) < std::min(end, pages.last);
    if (holds_pages && spans.is_block(block)) mark(block, c, how);
    at = std::max(end_address(block, c), pages.last);
  }
}

bool AlteredPages::has(Block block, ClassIndex c) const noexcept {
  if (!has_more_words(c)) return false;
  return is_noted(block, Alteration::kInPlace) || is_noted(block, Alteration::kReplaced) ||
         is_noted(block, Alteration::kMovedIn);
}

// A guard line that was protected before cannot be written. A buffer of the short way needs another
// mark, and no other does. It has lent nothing.
void AlteredPages::mark(Block block, ClassIndex c, Alteration how) noexcept {
  if (!has_more_words(c) || !platform::is_writable(&scratch(block))) return;
  const BlockState state = marks().state(block);
  if (!is_in_use(state) || is_noted(block, Alteration::kReplaced)) return;
  alteration(block) = marks().cookies().altered(block, how);
  marks().mark_to_look(block, c);
}

AlteredPages::Renewed AlteredPages::renew(Block block, ClassIndex c) noexcept {
  const Pages pages(block, c);
  const bool ours = !is_noted(block, Alteration::kReplaced);
  alteration(block) = 0;
  WideBlocks spans = parts_.spans->wide_blocks(c);
  if (!spans.renew(block, pages.first, pages.last)) {
    auto* const start = reinterpret_cast<void*>(pages.first);
    const bool usable = ours && platform::commit(start, pages.last - pages.first);
    return usable ? Renewed::kNo : Renewed::kLost;
  }
  marks().mark_free(block);  // the page of the guard line may be fresh, too
  if (span_blocks(c) != 1 || zero_ != ZeroChoice::kOff) return Renewed::kYes;
  spans.note_emptied(block, pages.first, pages.last);
  return Renewed::kEmpty;
}

}  // namespace bufpool
