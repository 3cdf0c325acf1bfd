// SPDX-License-Identifier: MIT
#include "pool/blocks/altered_pages.h"

#include <algorithm>

#include "pool/platform/platform.h"

namespace bufpool {
namespace {

// The whole pages of a block's buffer; those at its ends hold guard lines, too.
struct Pages {
  Pages(Block block, ClassIndex c) noexcept
      : first(platform::page_above(block + gap_bytes(c))),
        last(platform::page_below(block + stride_bytes(c))) {}

  std::uintptr_t first;
  std::uintptr_t last;
};

}  // namespace

// A guard line that is in the range can no longer be written. One in front of it may have been
// protected before.
void AlteredPages::note(std::uintptr_t start, std::size_t bytes) noexcept {
  if (parts_.space->avoids_new_calls()) return;  // the look at a guard line takes one
  const std::uintptr_t end = start + bytes;
  for (std::uintptr_t at = start; at < end && parts_.tables->owns(at);) {
    const ClassIndex c = parts_.tables->class_at(at);
    SharedSpans& spans = (*parts_.spans)[c];
    const Block block = spans.block_around(at);
    if (block == 0) return;
    const Pages pages(block, c);
    const bool holds_pages = std::max(start, pages.first) < std::min(end, pages.last);
    if (holds_pages && block + kLine <= start && spans.is_block(block)) mark(block, c);
    at = block + stride_bytes(c);
  }
}

bool AlteredPages::has(Block block, ClassIndex c) const noexcept {
  return has_more_words(c) && protection(block) == marks().cookies().protected_pages(block);
}

// A buffer of the short way needs another mark, and no other does. It has lent nothing.
void AlteredPages::mark(Block block, ClassIndex c) noexcept {
  if (!has_more_words(c) || !platform::is_writable(&protection(block))) return;
  const BlockState state = marks().state(block);
  if (!is_in_use(state)) return;
  protection(block) = marks().cookies().protected_pages(block);
  if (state != BlockState::kInUse) return;
  lent_bytes(block) = 0;
  marks().mark_borrowed(block);
}

bool AlteredPages::mend(Block block, ClassIndex c) noexcept {
  const Pages pages(block, c);
  protection(block) = 0;
  return platform::commit(reinterpret_cast<void*>(pages.first), pages.last - pages.first);
}

}  // namespace bufpool
