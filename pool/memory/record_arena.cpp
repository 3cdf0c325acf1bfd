// SPDX-License-Identifier: MIT
#include "pool/memory/record_arena.h"

#include <cstring>

#include "pool/platform/memory.h"

namespace bufpool {

void* RecordArena::allocate(std::size_t bytes) noexcept {
  const std::size_t units = units_of(bytes);
  if (units > kUnits) return platform::map(platform::page_above(bytes));
  for (;;) {
    if (!lock_.lock()) return nullptr;
    void* const record = cut(units);
    lock_.unlock();
    if (record != nullptr) return record;
    if (!take_block()) return nullptr;
  }
}

// Pre: locked. Memory that was never used is zero, and all other is wiped.
void* RecordArena::cut(std::size_t units) noexcept {
  if (Free* const record = free_[units]) {
    free_[units] = record->next;
    std::memset(static_cast<void*>(record), 0, units * kUnit);
    return record;
  }
  if (end_ - at_ < units * kUnit) return nullptr;
  at_ += units * kUnit;
  return reinterpret_cast<void*>(at_ - units * kUnit);
}

// The rest of the last block goes to the lists.
bool RecordArena::take_block() noexcept {
  void* const block = platform::map(kBlock);
  if (block == nullptr) return false;
  if (!lock_.lock()) {
    platform::unreserve(block, kBlock);
    return false;
  }
  if (const std::size_t rest = (end_ - at_) / kUnit; rest > 0 && rest <= kUnits) {
    auto* const record = reinterpret_cast<Free*>(at_);
    record->next = free_[rest];
    free_[rest] = record;
  }
  at_ = reinterpret_cast<std::uintptr_t>(block);
  end_ = at_ + kBlock;
  lock_.unlock();
  return true;
}

// A lock that cannot be had costs a record its memory, nothing worse.
void RecordArena::release(void* record, std::size_t bytes) noexcept {
  const std::size_t units = units_of(bytes);
  if (units > kUnits) return platform::unreserve(record, platform::page_above(bytes));
  if (!lock_.lock()) return;
  auto* const free = static_cast<Free*>(record);
  free->next = free_[units];
  free_[units] = free;
  lock_.unlock();
}

}  // namespace bufpool
