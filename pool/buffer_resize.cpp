// SPDX-License-Identifier: MIT
// realloc's part: in place in the buffer's class, or moved, once, to where there is room to grow.
#include <algorithm>
#include <cstring>

#include "pool/buffer_pool.h"
#include "pool/platform/platform.h"

namespace bufpool {
namespace {

constexpr std::size_t kWidest = buffer_bytes(kLastClass);
// Fewer bytes are copied as fast as their pages are moved or given back.
constexpr std::size_t kLeastMoved = 1 << 20;
// The guard line's words stay where they are when the pages behind them go.
constexpr std::size_t kWords = kLine;

}  // namespace

void* BufferPool::resize_slowly(void* pointer, std::size_t size, const void* caller) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const ClassIndex c = class_at(address);
  const Block block = address - gaps_[to_number(c)];
  const std::uint64_t state = guard_line(block).state;
  if (state == cookies_.growing(block)) return resize_growing(block, c, size, caller);
  const bool whole = state == cookies_.in_use(block) || state == cookies_.borrowed(block);
  if (!whole && is_foreign(address)) return nullptr;
  if (!whole) require_in_use(address, Fault::Call::kRealloc);  // an aligned entry, or none
  const std::size_t room = whole ? buffer_bytes(c) : usable_size(pointer);
  // A buffer is left where it is until it holds less than half of what it could.
  if (size <= room && size >= room / 2) return pointer;
  if (!serves(size)) return nullptr;
  if (size > room && whole) return grow(pointer, size, false, caller);
  if (size >= kLeastMoved && whole) {
    return relocate(pointer, {size, size, std::min(room, size), false}, caller);
  }
  return move(pointer, take_block(size, size, caller).block, std::min(room, size), caller);
}

void* BufferPool::resize_growing(Block block, ClassIndex c, std::size_t size,
                                 const void* caller) noexcept {
  std::uint64_t& link = guard_line(block).link;
  void* const pointer = reinterpret_cast<void*>(block + gap_bytes(c));
  const std::uint64_t most = link & ~kGrewAgain;
  if (size > buffer_bytes(c)) return serves(size) ? grow(pointer, size, true, caller) : nullptr;
  if (size > most) {
    if ((link & kGrewAgain) == 0) growth_.note_again();
    link = size | kGrewAgain;
  }
  if (size >= most / 4) {
    if (size < most / 2) give_tail_back(block, c, size);
    return pointer;
  }
  if (!serves(size)) return nullptr;
  if (size >= kLeastMoved) return relocate(pointer, {size, size, size, false}, caller);
  return move(pointer, take_block(size, size, caller).block, size, caller);
}

// A buffer that shrinks in place keeps no pages for what it held.
void BufferPool::give_tail_back(Block block, ClassIndex c, std::size_t size) noexcept {
  std::uint64_t& link = guard_line(block).link;
  const std::uint64_t most = link & ~kGrewAgain;
  if (most - size < kLeastMoved || !purge_behind(block, c, size)) return;
  link = size | (link & kGrewAgain);
}

// The pages of a block behind the first `size` bytes of its buffer. False: they stay.
bool BufferPool::purge_behind(Block block, ClassIndex c, std::size_t size) noexcept {
  const std::uintptr_t first = platform::page_above(block + gap_bytes(c) + size);
  const std::uintptr_t last = platform::page_below(block + stride_bytes(c));
  if (span_blocks(c) != 1 || first >= last) return false;
  SharedSpans& spans = spans_[to_number(c)];
  spans.before_purge(block, first, last);
  if (!platform::purge(reinterpret_cast<void*>(first), last - first)) return false;
  spans.note_emptied(block, first, last);
  return true;
}

// `again`: the buffer has grown before.
void* BufferPool::grow(void* pointer, std::size_t size, bool again, const void* caller) noexcept {
  const std::size_t kept = usable_size(pointer);
  again ? growth_.note_again() : growth_.note_first();
  const std::size_t room = std::min(growth_.room_for(size), kWidest);
  const bool wide = serves(room) && zero_ != ZeroChoice::kAlloc && (again || growth_.likely());
  void* const grown = wide ? relocate(pointer, {room, size, kept, again}, caller) : nullptr;
  return grown != nullptr ? grown : relocate(pointer, {size, size, kept, again}, caller);
}

// nullptr: there is no such block, and nothing happened.
void* BufferPool::relocate(void* pointer, const Relocation& how, const void* caller) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const Block from = address - gap_bytes(class_at(address));
  const Block to = take_to_grow(how, from, caller);
  if (to == 0) return nullptr;
  const ClassIndex c = class_at(to);
  void* const moved = reinterpret_cast<void*>(to + gap_bytes(c));
  guard_line(to) = GuardLine{cookies_.growing(to), how.size | (how.again ? kGrewAgain : 0)};
  const platform::Moved pages = move_pages(from, to, how.kept, caller);
  if (pages == platform::Moved::kYes) return moved;
  // A block whose pages are gone is never used again.
  if (pages == platform::Moved::kLost) return nullptr;
  std::memcpy(moved, pointer, how.kept);
  if (zero_ == ZeroChoice::kAlloc) {
    std::memset(static_cast<char*>(moved) + how.kept, 0, buffer_bytes(c) - how.kept);
  }
  put(pointer, KnownCaller{caller});
  return moved;
}

// A block that is about to hold `size` bytes of a buffer and has room for `room`. 0: there is none.
Block BufferPool::take_to_grow(const Relocation& how, Block from, const void* caller) noexcept {
  const ClassIndex wanted = class_for(how.room);
  const Block block = span_blocks(wanted) == 1 ? take_wide(wanted, how.size, from, caller)
                                               : take_block(how.room, how.size, caller).block;
  if (block == 0) return 0;
  const ClassIndex c = class_at(block);
  if (span_blocks(wanted) != 1 && !lend(block, wanted, buffer_bytes(c) - how.size)) return 0;
  if (how.room == how.size) return block;
  // Room to grow is not counted as granted: it costs what is touched of it.
  const std::uint64_t spare = stride_bytes(c) - stride_bytes(class_for(how.size));
  room_to_grow_[to_number(c)].fetch_add(spare, std::memory_order_relaxed);
  stats_.tell_room(c, room_to_grow_[to_number(c)]);
  return block;
}

// Where pages may move into it, the block begins in its page where `from` does.
Block BufferPool::take_wide(ClassIndex c, std::size_t size, Block from,
                            const void* caller) noexcept {
  if (!spans_for(c).is_open()) return 0;
  if (!has_slots(c) && spans_[to_number(c)].idle_bytes() == 0) {
    if (const Block block = cache_.pop_again(c, size)) {
      lend_tail(block, c, size, stride_bytes(c) - size);
      return block;
    }
  }
  const std::uint32_t offset =
      has_slots(c) ? static_cast<std::uint32_t>(from % platform::kPageBytes) : WideTake::kAnywhere;
  const CpuCache::Refill refill = cache_.take_wide(c, size, offset);
  if (refill.block == 0) return 0;
  if (refill.fresh_bytes > 0) retention_.after_fresh(refill.fresh_bytes, refill.regret_bytes);
  lend_tail(refill.block, c, size, refill.lent_bytes);
  trimmer_.after_slow_path(size, caller);
  return refill.block;
}

// The pages of a large buffer move; what lies on a page with something else is copied. The block
// they leave reads as zero where they were. kNo: nothing happened.
platform::Moved BufferPool::move_pages(Block from, Block to, std::size_t kept,
                                       const void* caller) noexcept {
  const ClassIndex c = class_at(from);
  if (kept < kLeastMoved || zero_ != ZeroChoice::kOff || !has_slots(class_at(to)) ||
      has_altered_pages(from, c) || from % platform::kPageBytes != to % platform::kPageBytes) {
    return platform::Moved::kNo;
  }
  const std::uintptr_t buffer = from + gap_bytes(c);
  const std::uintptr_t first = platform::page_above(from + kWords);
  const std::uintptr_t last = platform::page_below(buffer + kept);
  auto* const there = reinterpret_cast<void*>(to + (first - from));
  const auto moved = platform::move_pages(reinterpret_cast<void*>(first), last - first, there);
  if (moved == platform::Moved::kLost) return moved;
  if (moved == platform::Moved::kNo) {
    return platform::commit(there, last - first) ? moved : platform::Moved::kLost;
  }
  const auto copy = [&](std::uintptr_t start, std::uintptr_t end) {
    if (start >= end) return;
    std::memcpy(reinterpret_cast<void*>(to + (start - from)), reinterpret_cast<void*>(start),
                end - start);
  };
  copy(buffer, first);
  copy(last, buffer + kept);
  // The kernel moved the wish for huge pages, too.
  if (spans_[to_number(c)].has_huge_pages(from) &&
      !spans_[to_number(class_at(to))].has_huge_pages(to)) {
    (void)platform::want_small_pages(there, last - first);
  }
  spans_[to_number(c)].note_emptied(from, first, last);
  end_use(from, c);
  guard_line(from).state = cookies_.free(from);
  if (!spans_[to_number(c)].give_grown(from, kWords)) cache_.overflow(c, from);
  trimmer_.after_slow_path(stride_bytes(c), caller);
  return moved;
}

// The first `kept` bytes of a buffer in another block; 0: there is none, and nothing happens.
void* BufferPool::move(void* pointer, Block to, std::size_t kept, const void* caller) noexcept {
  if (to == 0) return nullptr;
  const ClassIndex c = class_at(to);
  guard_line(to).state = cookies_.in_use(to);
  void* const moved = reinterpret_cast<void*>(to + gap_bytes(c));
  std::memcpy(moved, pointer, kept);
  if (zero_ == ZeroChoice::kAlloc) {
    std::memset(static_cast<char*>(moved) + kept, 0, buffer_bytes(c) - kept);
  }
  put(pointer, KnownCaller{caller});
  return moved;
}

}  // namespace bufpool
