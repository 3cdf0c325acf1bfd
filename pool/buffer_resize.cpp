// SPDX-License-Identifier: MIT
#include "pool/buffer_resize.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "pool/backing/backing.h"
#include "pool/options/policy.h"
#include "pool/pages/zeroing.h"
#include "pool/platform/memory.h"

namespace bufpool {
namespace {

constexpr std::size_t kWidest = buffer_bytes(kLastClass);

// Tells whether a buffer that has room for `room` bytes and is neither growing nor too large for
// `size` stays where it is.
bool stays(std::size_t size, std::size_t room) noexcept {
  return size <= room && size >= room / policy::kLeastPartHeld;
}

}  // namespace

void* BufferResize::resize(void* pointer, std::size_t size, const void* caller) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const Buffer buffer{parts_.check->front_of(address), parts_.tables->class_at(address)};
  switch (marks().state(buffer.block)) {
    case BlockState::kInUse:
    case BlockState::kBorrowed:
      return resize_whole(buffer, size, caller);
    case BlockState::kGrowing:
      return resize_growing(buffer, size, caller);
    case BlockState::kEntered:
    case BlockState::kFree:
    case BlockState::kKnownZero:
    case BlockState::kUnmarked:
      break;
  }
  return resize_aligned(address, size, caller);
}

void* BufferResize::resize_whole(Buffer from, std::size_t size, const void* caller) noexcept {
  if (stays(size, from.room())) return from.pointer();
  if (!parts_.sizes->serves(size)) return nullptr;
  if (size > from.room()) return grow(from, GrowingSize::once(size), from.room(), caller);
  return shrink(from, size, caller);
}

void* BufferResize::resize_growing(Buffer from, std::size_t size, const void* caller) noexcept {
  const GrowingSize held = growing_size(from.block);
  if (size > from.room()) {
    const std::size_t kept = parts_.sizes->granted(held.most());
    const bool serves = parts_.sizes->serves(size);
    return serves ? grow(from, GrowingSize::again(size), kept, caller) : nullptr;
  }
  if (size > held.most()) {
    if (!held.grew_again()) parts_.predictor->note_again();
    set_growing_size(from.block, GrowingSize::again(size));
    return from.pointer();
  }
  if (size >= held.most() / policy::kLeastPartHeld) return from.pointer();
  if (size >= held.most() / policy::kLeastPartHeldGrowing && may_keep_tail(from, size)) {
    return from.pointer();
  }
  return parts_.sizes->serves(size) ? shrink(from, size, caller) : nullptr;
}

// The address is an aligned one inside a block, or no buffer.
void* BufferResize::resize_aligned(std::uintptr_t address, std::size_t size,
                                   const void* caller) noexcept {
  if (parts_.check->is_foreign(address)) return nullptr;
  parts_.check->require_in_use(address, Fault::Call::kRealloc);
  void* const pointer = reinterpret_cast<void*>(address);
  const std::size_t room = parts_.check->usable_size(address);
  if (stays(size, room)) return pointer;
  if (!parts_.sizes->serves(size)) return nullptr;
  const std::size_t kept = std::min(room, size);
  return moves_by_pages(kept, size) ? move(pointer, {size, GrowingSize::once(size), kept}, caller)
                                    : copy_to_plain(pointer, size, kept, caller);
}

// Tells whether contents move by their pages. A class without slots has no place for pages from
// anywhere.
bool BufferResize::moves_by_pages(std::size_t kept, std::size_t size) const noexcept {
  return kept >= policy::kLeastMoved && has_slots(parts_.sizes->class_for(size));
}

void* BufferResize::move_across(void* pointer, std::size_t kept, std::size_t size,
                                const void* caller) noexcept {
  if (kept < policy::kLeastMoved) return nullptr;
  const bool owned = parts_.tables->owns(reinterpret_cast<std::uintptr_t>(pointer));
  const bool served = parts_.sizes->serves(size);
  if (owned == served) return nullptr;
  if (owned) return move_out(pointer, kept, size, caller);
  return moves_by_pages(kept, size) ? move(pointer, {size, GrowingSize::once(size), kept}, caller)
                                    : nullptr;
}

void* BufferResize::move_out(void* from, std::size_t kept, std::size_t size,
                             const void* caller) noexcept {
  if (size < backing::kLeastMappedAlone) return nullptr;
  const int before = errno;
  const std::size_t in_page = reinterpret_cast<std::uintptr_t>(from) % platform::kPageBytes;
  void* const to = backing::allocate_in_page(size, in_page);
  errno = before;
  if (to == nullptr) return nullptr;
  const platform::Moved pages = parts_.page_move->move(from, to, kept);
  // Memory whose pages are gone is never used again.
  if (pages == platform::Moved::kLost) return nullptr;
  if (pages == platform::Moved::kNo) std::memcpy(to, from, kept);
  give_back(from, pages, kept, caller);
  return to;
}

// `size` is the buffer's afterwards, and `kept` are the bytes of its contents now.
void* BufferResize::grow(Buffer from, GrowingSize size, std::size_t kept,
                         const void* caller) noexcept {
  size.grew_again() ? parts_.predictor->note_again() : parts_.predictor->note_first();
  const std::size_t room = std::min(parts_.predictor->room_for(size.most()), kWidest);
  const bool wide = parts_.sizes->serves(room) && zero_ != ZeroChoice::kAlloc &&
                    (size.grew_again() || parts_.predictor->likely());
  void* const grown = wide ? move(from.pointer(), {room, size, kept}, caller) : nullptr;
  return grown != nullptr ? grown : move(from.pointer(), {size.most(), size, kept}, caller);
}

// Pre: `size` is served, and less than what the buffer holds.
void* BufferResize::shrink(Buffer from, std::size_t size, const void* caller) noexcept {
  if (size < policy::kLeastMoved) return copy_to_plain(from.pointer(), size, size, caller);
  return move(from.pointer(), {size, GrowingSize::once(size), size}, caller);
}

// `from` is the pool's or the allocator's underneath. It returns nullptr, and nothing happened, if
// there is no such block.
void* BufferResize::move(void* from, const Target& target, const void* caller) noexcept {
  const Block block = take_to_grow(from, target, caller);
  if (block == kNoBlock) return nullptr;
  const Buffer to = buffer_in(block);
  marks().mark_growing(block, target.size);
  const platform::Moved pages = parts_.page_move->move(from, to.pointer(), target.kept);
  // A block whose pages are gone is never used again, and has nothing to give back.
  if (pages == platform::Moved::kLost) {
    parts_.lending->end(block, to.c, BlockState::kGrowing);
    return nullptr;
  }
  if (pages == platform::Moved::kNo) std::memcpy(to.pointer(), from, target.kept);
  give_back(from, pages, target.kept, caller);
  clear_behind(to, target.kept);
  parts_.sampler->note_get(block, target.size.most());
  return to.pointer();
}

// Gives a buffer back whose first `kept` bytes were moved, or copied if `pages` is not kYes.
void BufferResize::give_back(void* pointer, platform::Moved pages, std::size_t kept,
                             const void* caller) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  if (!parts_.tables->owns(address)) return backing::release(pointer);
  if (pages != platform::Moved::kYes) return parts_.free_path->put(pointer, caller);
  const platform::PagesToMove emptied(pointer, kept);
  parts_.free_path->put_emptied(pointer, emptied.first, emptied.last, caller);
}

// Copies the first `kept` bytes to a buffer of `size` bytes that is as if it never grew. It returns
// nullptr, and nothing happened, if there is no block.
void* BufferResize::copy_to_plain(void* pointer, std::size_t size, std::size_t kept,
                                  const void* caller) noexcept {
  const Block block = parts_.miss_path->take_block(size, size, caller).block;
  if (block == kNoBlock) return nullptr;
  const Buffer to = buffer_in(block);
  marks().mark_in_use(block);
  std::memcpy(to.pointer(), pointer, kept);
  clear_behind(to, kept);
  parts_.free_path->put(pointer, caller);
  parts_.sampler->note_get(block, size);
  return to.pointer();
}

// If all memory is handed out as zero, the part that a buffer gains is zero, too.
void BufferResize::clear_behind(Buffer buffer, std::size_t kept) const noexcept {
  if (zero_ != ZeroChoice::kAlloc) return;
  const auto start = reinterpret_cast<std::uintptr_t>(buffer.pointer());
  clear(start + kept, start + buffer.room());
}

// Returns a block for a target, or kNoBlock if there is none. A block that pages may move into
// begins in its page where `from` does.
Block BufferResize::take_to_grow(const void* from, const Target& target,
                                 const void* caller) noexcept {
  const std::size_t size = target.size.most();
  const ClassIndex wanted = parts_.sizes->class_for(target.room);
  Block block = kNoBlock;
  if (span_blocks(wanted) == 1) {
    const std::uint32_t offset = PageMove::offset_for(from, wanted);
    const MissPath::Wide wide = parts_.miss_path->take_wide(wanted, size, offset, caller);
    block = wide.block;
    if (block != kNoBlock) lend_tail(block, wanted, size, wide.idle_bytes);
  } else {
    block = parts_.miss_path->take_block(target.room, size, caller).block;
    if (block != kNoBlock && !lend(block, wanted, size, caller)) return kNoBlock;
  }
  if (block == kNoBlock || target.room == size) return block;
  // Room to grow is not counted as granted: it costs what is touched of it.
  const ClassIndex c = parts_.tables->class_of(block);
  const std::uint64_t spare = stride_bytes(c) - stride_bytes(parts_.sizes->class_for(size));
  room_to_grow_[to_number(c)].fetch_add(spare, std::memory_order_relaxed);
  parts_.stats->tell_room(c, room_to_grow_[to_number(c)]);
  return block;
}

// Lends the room of a block in a span of several to a buffer of `size` bytes. Returns false if that
// is too much. The block went back then.
bool BufferResize::lend(Block block, ClassIndex wanted, std::size_t size,
                        const void* caller) noexcept {
  const ClassIndex c = parts_.tables->class_of(block);
  std::uint64_t bytes = buffer_bytes(c) - size;
  if (c == wanted && bytes < nominal_bytes(c) / 2) bytes = 0;  // no more than any buffer wastes
  if (parts_.lending->allows(bytes)) {
    parts_.lending->note_room(block, c, bytes);
    return true;
  }
  marks().mark_free(block);
  parts_.free_path->push(block, caller);
  return false;
}

// Lends a block's pages that have memory and that a buffer of `size` bytes does not need. They go
// back if that is too much.
void BufferResize::lend_tail(Block block, ClassIndex c, std::size_t size,
                             std::uint64_t idle_bytes) noexcept {
  std::uint64_t bytes = idle_bytes < platform::kPageBytes ? 0 : idle_bytes;
  if (!parts_.lending->allows(bytes) && purge_behind(block, c, size)) bytes = 0;
  parts_.lending->note_room(block, c, bytes);
}

// Tells whether a growing buffer that is to hold `size` bytes may stay where it is. The pages of
// what it held go back, or are lent to it.
bool BufferResize::may_keep_tail(Buffer buffer, std::size_t size) noexcept {
  const GrowingSize held = growing_size(buffer.block);
  const std::size_t tail = held.most() - size;
  if (tail < policy::kLeastMoved || !purge_behind(buffer.block, buffer.c, size)) {
    return parts_.lending->lends_room(buffer.block, buffer.c, tail);
  }
  set_growing_size(buffer.block, held.with_most(size));
  return true;
}

// Gives back the pages of a block behind the first `size` bytes of its buffer. It
// returns false if they stay.
bool BufferResize::purge_behind(Block block, ClassIndex c, std::size_t size) noexcept {
  const std::uintptr_t first = platform::page_above(buffer_address(block, gap_bytes(c)) + size);
  const std::uintptr_t last = platform::page_below(end_address(block, c));
  if (span_blocks(c) != 1 || first >= last) return false;
  WideBlocks spans = parts_.spans->wide_blocks(c);
  spans.before_purge(block, first, last);
  if (!platform::purge(reinterpret_cast<void*>(first), last - first)) return false;
  spans.note_emptied(block, first, last);
  return true;
}

}  // namespace bufpool
