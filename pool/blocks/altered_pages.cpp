// SPDX-License-Identifier: MIT
#include "pool/blocks/altered_pages.h"

#include <algorithm>

#include "pool/platform/memory.h"
#include "pool/platform/safe_calls.h"

namespace bufpool {
namespace {

// The whole pages of a block. Those of a slot are its own from end to end, guard line included;
// elsewhere those at its ends hold guard lines, too.
struct Pages {
  Pages(Block block, ClassIndex c) noexcept
      : first(has_slots(c) ? platform::page_below(block)
                           : platform::page_above(block + gap_bytes(c))),
        last(has_slots(c) ? first + span_bytes(c) : platform::page_below(block + stride_bytes(c))) {
  }

  std::uintptr_t first;
  std::uintptr_t last;
};

}  // namespace

void AlteredPages::note(std::uintptr_t start, std::size_t bytes, Alteration how) noexcept {
  if (platform::expects_filter()) return;  // the look at a guard line takes one
  const std::uintptr_t end = start + bytes;
  for (std::uintptr_t at = start; at < end && parts_.tables->owns(at);) {
    const ClassIndex c = parts_.tables->class_at(at);
    SpanLookup spans = parts_.spans->lookup(c);
    const Block block = spans.block_around(at);
    if (block == 0) return;
    const Pages pages(block, c);
    const bool holds_pages = std::max(start, pages.first) < std::min(end, pages.last);
    if (holds_pages && spans.is_block(block)) mark(block, c, how);
    at = std::max(block + stride_bytes(c), pages.last);
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
  if (state != BlockState::kInUse) return;
  lent_bytes(block) = 0;
  marks().mark_borrowed(block);
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
