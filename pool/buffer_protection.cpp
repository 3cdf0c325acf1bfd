// SPDX-License-Identifier: MIT
// Buffers that come back while the program still has pages of them protected. A put that hits looks
// at one word only, so such a buffer is marked when its pages are protected, in a way that makes
// its put go the long way.
#include <algorithm>
#include <atomic>

#include "pool/buffer_pool.h"
#include "pool/platform/filter_notice.h"
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
void BufferPool::note_protected(std::uintptr_t start, std::size_t bytes) noexcept {
  if (platform::expects_filter()) return;  // the look at a guard line takes one
  const std::uintptr_t end = start + bytes;
  for (std::uintptr_t at = start; at < end && range_.contains(at);) {
    const ClassIndex c = class_at(at);
    const Block block = lookup(c).block_around(at);
    if (block == 0) return;
    const Pages pages(block, c);
    const bool holds_pages = std::max(start, pages.first) < std::min(end, pages.last);
    if (holds_pages && block + kLine <= start && lookup(c).is_block(block)) {
      note_protected_pages(block, c);
    }
    at = block + stride_bytes(c);
  }
}

bool BufferPool::has_protected_pages(Block block, ClassIndex c) const noexcept {
  return has_more_words(c) && protection(block) == cookies_.protected_pages(block);
}

// Only a buffer of the short way needs another cookie. It has lent nothing.
void BufferPool::note_protected_pages(Block block, ClassIndex c) noexcept {
  if (!has_more_words(c) || !platform::is_writable(&protection(block))) return;
  if (!cookies_.is_in_use(block)) return;
  protection(block) = cookies_.protected_pages(block);
  if (guard_line(block).state != cookies_.in_use(block)) return;
  lent_bytes(block) = 0;
  guard_line(block).state = cookies_.borrowed(block);
}

// False: the kernel refuses, and nobody else can use the block.
bool BufferPool::unprotect(Block block, ClassIndex c) noexcept {
  const Pages pages(block, c);
  protection(block) = 0;
  return platform::commit(reinterpret_cast<void*>(pages.first), pages.last - pages.first);
}

}  // namespace bufpool
