// SPDX-License-Identifier: MIT
// Memory for the records of runs and spans, which lie apart from what they describe: an overrun of
// a buffer cannot reach them, and no page of a buffer is touched for them.
//
// Synchronization: one lock, never held across a system call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pool/sync/owner_lock.h"

namespace bufpool {

class RecordArena {
 public:
  // Zeroed, aligned to a cache line. nullptr: not to be had. Pre: bytes > 0.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept;

  // Pre: allocate(bytes) returned `record`.
  void release(void* record, std::size_t bytes) noexcept;

  // Around a fork, see OwnerLock.
  void await_owner() noexcept { lock_.await_owner(); }
  void repair_in_child() noexcept { lock_.repair_in_child(); }

 private:
  static constexpr std::size_t kUnit = 512;
  static constexpr std::size_t kUnits = 64;         // more is mapped by itself
  static constexpr std::size_t kBlock = 128 << 10;  // what is mapped at a time

  struct Free {
    Free* next;
  };

  static constexpr std::size_t units_of(std::size_t bytes) noexcept {
    return (bytes + kUnit - 1) / kUnit;
  }
  void* cut(std::size_t units) noexcept;
  bool take_block() noexcept;

  OwnerLock lock_;
  std::uintptr_t at_ = 0;  // the rest of the block that records are cut from
  std::uintptr_t end_ = 0;
  std::array<Free*, kUnits + 1> free_{};
};

}  // namespace bufpool
