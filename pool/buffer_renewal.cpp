// SPDX-License-Identifier: MIT
// Buffers that come back while pages of them are not what they were: protected, locked, kept from
// children, mapped over. A put that hits looks at one word only, so such a buffer is marked when
// its pages are altered, in a way that makes its put go the long way, where it gets fresh ones.
#include <algorithm>
#include <atomic>

#include "pool/buffer_pool.h"
#include "pool/platform/platform.h"

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

void BufferPool::note_altered(std::uintptr_t start, std::size_t bytes, Alteration how) noexcept {
  if (space_.avoids_new_calls()) return;  // the look at a guard line takes one
  const std::uintptr_t end = start + bytes;
  for (std::uintptr_t at = start; at < end && range_.contains(at);) {
    const ClassIndex c = class_at(at);
    const Block block = spans_[to_number(c)].block_around(at);
    if (block == 0) return;
    const Pages pages(block, c);
    const bool holds_pages = std::max(start, pages.first) < std::min(end, pages.last);
    if (holds_pages && spans_[to_number(c)].is_block(block)) mark_altered(block, c, how);
    at = std::max(block + stride_bytes(c), pages.last);
  }
}

bool BufferPool::has_altered_pages(Block block, ClassIndex c) const noexcept {
  if (!has_more_words(c)) return false;
  return alteration(block) == cookies_.altered_pages(block) ||
         alteration(block) == cookies_.replaced_pages(block);
}

// A guard line that was protected before cannot be written. Only a buffer of the short way needs
// another cookie. It has lent nothing.
void BufferPool::mark_altered(Block block, ClassIndex c, Alteration how) noexcept {
  if (!has_more_words(c) || !platform::is_writable(&scratch(block))) return;
  if (!cookies_.is_in_use(block) || alteration(block) == cookies_.replaced_pages(block)) return;
  alteration(block) =
      how == Alteration::kReplaced ? cookies_.replaced_pages(block) : cookies_.altered_pages(block);
  if (guard_line(block).state != cookies_.in_use(block)) return;
  lent_bytes(block) = 0;
  guard_line(block).state = cookies_.borrowed(block);
}

// Gives a free block fresh pages in the place of its own. Where the kernel refuses that, pages that
// are still ours serve if they can be written. kLost: they cannot, and nobody can use the block.
BufferPool::Renewed BufferPool::renew(Block block, ClassIndex c) noexcept {
  const Pages pages(block, c);
  const bool ours = alteration(block) != cookies_.replaced_pages(block);
  alteration(block) = 0;
  SharedSpans& spans = spans_[to_number(c)];
  if (!spans.renew(block, pages.first, pages.last)) {
    auto* const start = reinterpret_cast<void*>(pages.first);
    const bool usable = ours && platform::commit(start, pages.last - pages.first);
    return usable ? Renewed::kNo : Renewed::kLost;
  }
  guard_line(block).state = cookies_.free(block);  // its page may be fresh, too
  if (span_blocks(c) != 1 || zero_ != ZeroChoice::kOff) return Renewed::kYes;
  spans.note_emptied(block, pages.first, pages.last);
  return Renewed::kEmpty;
}

}  // namespace bufpool
