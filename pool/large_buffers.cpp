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
std::size_t LargeBuffers::ahead_of(std::size_t bytes) const noexcept {
  return std::min(platform::page_above(bytes + bytes / 4), slot_bytes_);
}

// Moves whole pages into a slot, and commits what is in front of them and behind them, `whole`
// bytes together. The range that they move to is committed by them: should they stay where they
// are, nothing there has to be undone. What is in front, where guard lines lie, stays readable.
// False: the slot is free again, or never used again.
bool LargeBuffers::adopt_pages(std::uint32_t slot, std::uintptr_t pages, std::size_t bytes,
                               std::uintptr_t to, std::size_t whole) noexcept {
  auto* const head = reinterpret_cast<void*>(slot_start(slot));
  auto* const tail = reinterpret_cast<void*>(to + bytes);
  const std::size_t head_bytes = to - slot_start(slot);
  const std::size_t tail_bytes = whole - head_bytes - bytes;
  auto moved = platform::Moved::kNo;
  if (platform::commit(head, head_bytes) && platform::commit(tail, tail_bytes)) {
    moved =
        platform::move_pages(reinterpret_cast<void*>(pages), bytes, reinterpret_cast<void*>(to));
  }
  if (moved == platform::Moved::kYes) return true;
  const bool undone = platform::seal(head, head_bytes) && platform::uncommit(tail, tail_bytes);
  if (undone && moved == platform::Moved::kNo) give_back(slot);
  return false;
}

// Whole pages are moved; what the block shares a page of with its neighbours is copied.
Block LargeBuffers::adopt(Block from, std::size_t bytes, std::size_t size) noexcept {
  const std::size_t offset = from % platform::kPageBytes;
  std::uint32_t slot = 0;
  if (!fits(offset, size) || !claim(slot)) return 0;
  const Block block = slot_start(slot) + offset;
  const std::uintptr_t first =
      platform::page_above(from + sizeof(GuardLine));  // the guard line stays
  const std::uintptr_t last = platform::page_below(from + bytes);
  const std::size_t whole = ahead_of(offset + kGap + size);
  if (!adopt_pages(slot, first, last - first, block + (first - from), whole)) return 0;
  committed_[slot] = whole;
  blocks_[slot].store(block, std::memory_order_relaxed);
  copy(block, from, first - from);
  copy(block + (last - from), last, from + bytes - last);
  return block;
}

bool LargeBuffers::extend(Block block, std::size_t size) noexcept {
  const std::uint32_t slot = slot_of(block);
  const std::size_t offset = block % platform::kPageBytes;
  if (!fits(offset, size)) return false;
  const std::size_t committed = committed_[slot];
  if (offset + kGap + size <= committed) return true;
  const std::size_t needed = platform::page_above(offset + kGap + size);
  auto* const end = reinterpret_cast<void*>(slot_start(slot) + committed);
  // Where the system refuses what is ahead, what is asked for.
  for (const std::size_t whole : {ahead_of(needed), needed}) {
    if (!platform::commit(end, whole - committed)) continue;
    committed_[slot] = whole;
    return true;
  }
  return false;
}

void LargeBuffers::give_back(std::uint32_t slot) noexcept {
  used_.fetch_and(~(std::uint64_t{1} << slot), std::memory_order_release);
}

void LargeBuffers::release(Block block) noexcept {
  const std::uint32_t slot = slot_of(block);
  // A slot that the kernel does not take back is never used again.
  if (platform::seal(reinterpret_cast<void*>(slot_start(slot)), committed_[slot])) give_back(slot);
}

std::uint32_t LargeBuffers::in_use() const noexcept {
  return static_cast<std::uint32_t>(std::popcount(used_.load(std::memory_order_relaxed)));
}

}  // namespace bufpool
