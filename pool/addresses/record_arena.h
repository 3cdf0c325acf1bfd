// SPDX-License-Identifier: MIT
// Has the memory for the records of runs and spans. The records lie apart from the buffers that
// they describe, so that an overrun of a buffer cannot reach them and no page of a buffer is
// touched for them.
//
// Synchronization: one lock. No system call is made under it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/platform/memory.h"
#include "pool/sync/owner_lock.h"

namespace bufpool {

// Maps memory for records in a row, so that all of it is one mapping. Where a process has all the
// mappings that it may have (vm.max_map_count), the kernel still makes one larger. Memory that it
// places itself may need a mapping of its own. Before open() the kernel places all of it. Any
// thread and any signal handler may call map().
class GrowingMapping {
 public:
  // Says where the row begins, and how long it may become. Pre: it is called once, before map().
  void open(std::uintptr_t start, std::size_t bytes) noexcept {
    most_ = start + bytes;
    end_.store(start, std::memory_order_relaxed);
  }

  // Maps fresh zeroed memory: at the end of the row, or where the kernel likes if something else is
  // there. Returns nullptr where the kernel refuses. platform::unreserve() unmaps it. Pre: `bytes`
  // is a number of whole pages.
  [[nodiscard]] void* map(std::size_t bytes) noexcept {
    std::uintptr_t at = end_.load(std::memory_order_relaxed);
    while (most_ - at >= bytes) {
      if (!end_.compare_exchange_weak(at, at + bytes)) continue;
      auto* const memory = reinterpret_cast<void*>(at);
      if (platform::map_at(memory, bytes) == platform::Mapped::kYes) return memory;
      std::uintptr_t behind = at + bytes;
      end_.compare_exchange_strong(behind, at);
      break;
    }
    return platform::map(bytes);
  }

 private:
  std::atomic<std::uintptr_t> end_{0};
  std::uintptr_t most_ = 0;
};

// Allocates records and takes them back. Any thread and any signal handler may call allocate() and
// release().
class RecordArena {
 public:
  // Says where blocks come from; without it the kernel places each. Pre: it is called once, before
  // any record is allocated; `memory` outlives this.
  void open(GrowingMapping* memory) noexcept { memory_ = memory; }

  // Allocates a record of `bytes` bytes, all zero, aligned to a cache line. It returns nullptr if
  // the kernel refuses memory or the lock is refused. It takes the lock, and maps memory outside
  // it. Pre: bytes > 0.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept;

  // Takes a record back. If the lock is refused, the record's memory is lost and nothing else
  // happens. It takes the lock. Pre: allocate(bytes) returned `record`.
  void release(void* record, std::size_t bytes) noexcept;

  // Wait for the owner of the lock before a fork, and repair the lock in the child, see OwnerLock.
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

  GrowingMapping* memory_ = nullptr;
  OwnerLock lock_;
  // Records are cut from the rest of a block, which these bound.
  std::uintptr_t at_ BUFPOOL_GUARDED_BY(lock_) = 0;
  std::uintptr_t end_ BUFPOOL_GUARDED_BY(lock_) = 0;
  // It lists the free records by their size in units.
  std::array<Free*, kUnits + 1> free_ BUFPOOL_GUARDED_BY(lock_){};
};

}  // namespace bufpool
