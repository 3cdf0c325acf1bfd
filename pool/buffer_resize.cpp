// SPDX-License-Identifier: MIT
// realloc's part: in place in the buffer's class, or moved, once, to where there is room to grow.
#include <algorithm>
#include <cstring>

#include "pool/buffer_pool.h"

namespace bufpool {
namespace {

constexpr std::size_t kWidest = buffer_bytes(kLastClass);

}  // namespace

void* BufferPool::resize_slowly(void* pointer, std::size_t size, const void* caller) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const std::uint64_t region = space_.region_number(address);
  const ClassIndex c{static_cast<std::uint32_t>(region)};
  const Block block = address - gaps_[region];
  const std::uint64_t state = guard_line(block).state;
  if (c == kLargeRegion) return resize_large(address, size, caller);
  if (state == cookies_.growing(block)) return resize_growing(block, c, size, caller);
  const bool whole = state == cookies_.in_use(block);
  if (!whole) require_in_use(address, Fault::Call::kRealloc);  // an aligned entry, or none
  const std::size_t room = whole ? buffer_bytes(c) : usable_size(pointer);
  // A buffer is left where it is until it holds less than half of what it could.
  if (size <= room && size >= room / 2) return pointer;
  if (size > kWidest && whole) return grow_large(pointer, size, caller);
  if (!serves(size)) return nullptr;
  if (size > room && whole) return grow(pointer, size, false, caller);
  return move(pointer, take_block(size, size, caller), std::min(room, size), caller);
}

void* BufferPool::resize_growing(Block block, ClassIndex c, std::size_t size,
                                 const void* caller) noexcept {
  std::uint64_t& link = guard_line(block).link;
  void* const pointer = reinterpret_cast<void*>(block + gap_bytes(c));
  const std::uint64_t most = link & ~kGrewAgain;
  if (size > kWidest) return grow_large(pointer, size, caller);
  if (size > buffer_bytes(c)) return serves(size) ? grow(pointer, size, true, caller) : nullptr;
  if (size > most) {
    if ((link & kGrewAgain) == 0) growth_.note_again();
    link = size | kGrewAgain;
  }
  if (size >= most / 4) return pointer;
  return serves(size) ? move(pointer, take_block(size, size, caller), size, caller) : nullptr;
}

// A block with room to grow, which is not counted as granted: it costs what is touched of it.
Block BufferPool::take_wide(std::size_t room, std::size_t size, const void* caller) noexcept {
  const Block block = take_block(room, size, caller);
  if (block == 0) return 0;
  const ClassIndex c = space_.class_at(block);
  const std::uint64_t spare = stride_bytes(c) - stride_bytes(class_for(size));
  room_to_grow_[to_number(c)].fetch_add(spare, std::memory_order_relaxed);
  return block;
}

// `again`: the buffer has grown before.
void* BufferPool::grow(void* pointer, std::size_t size, bool again, const void* caller) noexcept {
  const std::size_t kept = usable_size(pointer);
  again ? growth_.note_again() : growth_.note_first();
  const std::size_t room = std::min(growth_.room_for(size), kWidest);
  const bool wide = serves(room) && zero_ != ZeroChoice::kAlloc && (again || growth_.likely());
  Block block = wide ? take_wide(room, size, caller) : 0;
  if (block == 0) block = take_block(size, size, caller);
  void* const grown = move(pointer, block, kept, caller);
  if (grown == nullptr) return nullptr;
  guard_line(block) = GuardLine{cookies_.growing(block), size | (again ? kGrewAgain : 0)};
  return grown;
}

// Beyond the largest class the pages move. Only those of a class with many: fewer are copied as
// fast.
void* BufferPool::grow_large(void* pointer, std::size_t size, const void* caller) noexcept {
  constexpr std::size_t kLeastMoved = 4 << 20;
  const std::size_t kept = usable_size(pointer);
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  const Block from = address - gaps_[space_.region_number(address)];
  if (kept < kLeastMoved || zero_ != ZeroChoice::kOff) return nullptr;
  const Block block = large_.adopt(from, LargeBuffers::kGap + kept, size);
  if (block == 0) return nullptr;
  put(pointer, KnownCaller{caller});
  guard_line(block) = GuardLine{cookies_.growing(block), size};
  return reinterpret_cast<void*>(block + LargeBuffers::kGap);
}

// Leaves its slot only for a class that holds a quarter of the most it held.
void* BufferPool::resize_large(std::uintptr_t address, std::size_t size,
                               const void* caller) noexcept {
  require_in_use(address, Fault::Call::kRealloc);
  void* const pointer = reinterpret_cast<void*>(address);
  const Block block = address - LargeBuffers::kGap;
  GuardLine& line = guard_line(block);
  if (size < line.link / 4 && serves(size))
    return move(pointer, take_block(size, size, caller), size, caller);
  if (size <= line.link) return pointer;
  if (!large_.extend(block, size)) return nullptr;
  line.link = size;
  return pointer;
}

// The first `kept` bytes of a buffer in another block; 0: there is none, and nothing happens.
void* BufferPool::move(void* pointer, Block to, std::size_t kept, const void* caller) noexcept {
  if (to == 0) return nullptr;
  guard_line(to).state = cookies_.in_use(to);
  void* const moved = reinterpret_cast<void*>(to + gap_bytes(space_.class_at(to)));
  std::memcpy(moved, pointer, kept);
  if (zero_ == ZeroChoice::kAlloc) {
    const std::size_t room = buffer_bytes(space_.class_at(to));
    std::memset(static_cast<char*>(moved) + kept, 0, room - kept);
  }
  put(pointer, KnownCaller{caller});
  return moved;
}

}  // namespace bufpool
