// SPDX-License-Identifier: MIT
#include "pool/addresses/record_arena.h"

#include <cstring>

#include "pool/platform/memory.h"

namespace bufpool {

void* RecordArena::allocate(std::size_t bytes) noexcept {
  const std::size_t units = units_of(bytes);
  if (units > kUnits) return platform::map(platform::page_above(bytes));
  for (;;) {
    {
      const ScopedLock locked(lock_);
      if (!locked) return nullptr;
      if (void* const record = cut(units)) return record;
    }
    if (!take_block()) return nullptr;
  }
}

// Memory that was never used is zero. A record that is used again is wiped.
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

// Maps the next block to cut records from. The rest of the last block becomes a free record.
bool RecordArena::take_block() noexcept {
  void* const block = platform::map(kBlock);
  if (block == nullptr) return false;
  {
    const ScopedLock locked(lock_);
    if (locked) {
      if (const std::size_t rest = (end_ - at_) / kUnit; rest > 0 && rest <= kUnits) {
        add_free(at_, rest);
      }
      at_ = reinterpret_cast<std::uintptr_t>(block);
      end_ = at_ + kBlock;
      return true;
    }
  }
  platform::unreserve(block, kBlock);
  return false;
}

void RecordArena::add_free(std::uintptr_t address, std::size_t units) noexcept {
  auto* const record = reinterpret_cast<Free*>(address);
  record->next = free_[units];
  free_[units] = record;
}

void RecordArena::release(void* record, std::size_t bytes) noexcept {
  const std::size_t units = units_of(bytes);
  if (units > kUnits) return platform::unreserve(record, platform::page_above(bytes));
  const ScopedLock locked(lock_);
  if (locked) add_free(reinterpret_cast<std::uintptr_t>(record), units);
}

}  // namespace bufpool
