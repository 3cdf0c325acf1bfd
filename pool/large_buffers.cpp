// SPDX-License-Identifier: MIT
#include "pool/large_buffers.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "pool/platform.h"

namespace bufpool {
namespace {

void copy(std::uintptr_t to, std::uintptr_t from, std::size_t bytes) noexcept {
  std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
}

}  // namespace

bool LargeBuffers::claim(std::uint32_t& slot) noexcept {
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (used == ~std::uint64_t{0}) return false;
    slot = static_cast<std::uint32_t>(std::countr_one(used));
  } while (!used_.compare_exchange_weak(used, used | std::uint64_t{1} << slot));
  committed_[slot] = 0;
  return true;
}

// A quarter ahead: few system calls, and pages come with their use only.
bool LargeBuffers::commit_to(std::uint32_t slot, std::size_t bytes) noexcept {
  if (bytes <= committed_[slot]) return true;
  if (bytes > slot_bytes_) return false;
  const std::size_t ahead = std::min(platform::page_above(bytes + bytes / 4), slot_bytes_);
  auto* const end = reinterpret_cast<void*>(slot_start(slot) + committed_[slot]);
  if (!platform::commit(end, ahead - committed_[slot])) return false;
  committed_[slot] = ahead;
  return true;
}

// Whole pages are moved; what the block shares a page of with its neighbours is copied.
Block LargeBuffers::adopt(Block from, std::size_t bytes, std::size_t size) noexcept {
  const std::size_t offset = from % platform::kPageBytes;
  std::uint32_t slot = 0;
  if (offset + kGap + size > slot_bytes_ || !claim(slot)) return 0;
  const Block block = slot_start(slot) + offset;
  const std::uintptr_t first =
      platform::page_above(from + sizeof(GuardLine));  // the guard line stays
  const std::uintptr_t last = platform::page_below(from + bytes);
  auto* const pages = reinterpret_cast<void*>(first);
  auto* const to = reinterpret_cast<void*>(block + (first - from));
  if (!commit_to(slot, offset + kGap + size) || !platform::move_pages(pages, last - first, to)) {
    release(block);
    return 0;
  }
  copy(block, from, first - from);
  copy(block + (last - from), last, from + bytes - last);
  return block;
}

bool LargeBuffers::extend(Block block, std::size_t size) noexcept {
  return commit_to(slot_of(block), block % platform::kPageBytes + kGap + size);
}

void LargeBuffers::release(Block block) noexcept {
  const std::uint32_t slot = slot_of(block);
  // A slot that the kernel does not take back is never used again.
  if (!platform::uncommit(reinterpret_cast<void*>(slot_start(slot)), slot_bytes_)) return;
  used_.fetch_and(~(std::uint64_t{1} << slot), std::memory_order_release);
}

std::uint32_t LargeBuffers::in_use() const noexcept {
  return static_cast<std::uint32_t>(std::popcount(used_.load(std::memory_order_relaxed)));
}

}  // namespace bufpool
