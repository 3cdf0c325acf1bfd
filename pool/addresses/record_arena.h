// SPDX-License-Identifier: MIT
// Memory for the records of runs and spans. The records lie apart from the buffers that they
// describe, so that an overrun of a buffer cannot reach them and no page of a buffer is touched for
// them.
//
// Synchronization: one lock. No system call is made under it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pool/sync/owner_lock.h"

namespace bufpool {

// Allocates records and takes them back. Any thread may call allocate() and release(), and a signal
// handler may, too.
class RecordArena {
 public:
  // Allocates a record of `bytes` bytes, all zero, aligned to a cache line. It returns nullptr if
  // the kernel refuses memory or the lock is refused. It takes the lock, and maps memory outside
  // it. Pre: bytes > 0.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept;

  // Takes a record back. If the lock is refused, the record's memory is lost and nothing else
  // happens. It takes the lock. Pre: allocate(bytes) returned `record`.
  void release(void* record, std::size_t bytes) noexcept;

  // A fork calls these for the lock, see OwnerLock.
  void await_owner() noexcept { lock_.await_owner(); }
  void repair_in_child() noexcept { lock_.repair_in_child(); }

 private:
  // Records are whole units of kUnit bytes. Those of more than kUnits units have a mapping each.
  // All others are cut from blocks of kBlock bytes.
  static constexpr std::size_t kUnit = 512;
  static constexpr std::size_t kUnits = 64;
  static constexpr std::size_t kBlock = 128 << 10;

  struct Free {
    Free* next;
  };

  static constexpr std::size_t units_of(std::size_t bytes) noexcept {
    return (bytes + kUnit - 1) / kUnit;
  }
  void* cut(std::size_t units) noexcept BUFPOOL_REQUIRES(lock_);
  bool take_block() noexcept;
  void add_free(std::uintptr_t address, std::size_t units) noexcept BUFPOOL_REQUIRES(lock_);

  OwnerLock lock_;
  // The rest of the block that records are cut from.
  std::uintptr_t at_ BUFPOOL_GUARDED_BY(lock_) = 0;
  std::uintptr_t end_ BUFPOOL_GUARDED_BY(lock_) = 0;
  // Free records, by their size in units.
  std::array<Free*, kUnits + 1> free_ BUFPOOL_GUARDED_BY(lock_){};
};

}  // namespace bufpool
