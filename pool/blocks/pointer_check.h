// SPDX-License-Identifier: MIT
// Judges the addresses that a program hands in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "pool/blocks/all_spans.h"
#include "pool/blocks/block_marks.h"
#include "pool/blocks/hit_tables.h"
#include "pool/blocks/served_sizes.h"
#include "pool/percpu/cpu_cache.h"
#include "pool/telemetry/fault.h"

namespace bufpool {

// Tells which addresses are buffers in use, how large those are, and what is wrong with the others.
// It goes by facts that do not depend on one another: where in its block an address lies, the
// marks, the record of the span, and what is in the CPUs' caches.
//
// Pre of all but open() and set_fault_handler(): the address is in the pool's range.
class PointerCheck {
 public:
  struct Parts {
    const HitTables* tables = nullptr;
    const ServedSizes* sizes = nullptr;
    AllSpans* spans = nullptr;
    CpuCache* cache = nullptr;
  };
  // Connects the parts, which outlive this. Pre: it is called once.
  void open(const Parts& parts) noexcept { parts_ = parts; }

  // Sets the function that is called with the first fault. Without one the process traps.
  void set_fault_handler(FaultHandler handler) noexcept { on_fault_ = handler; }

  // Returns the block whose buffer starts at `address`, if one does: nothing is looked at.
  [[nodiscard]] Block front_of(std::uintptr_t address) const noexcept {
    const std::uint64_t c = parts_.tables->class_number(address);
    return block_of_buffer(address, parts_.tables->gap_of_class(c));
  }

  // Tells whether the address is a mapping of somebody else's, in which nothing of ours is.
  [[nodiscard]] bool is_foreign(std::uintptr_t address) noexcept {
    return parts_.spans->is_foreign(parts_.tables->class_at(address), address);
  }

  // Returns the fault in a call for `address`, or nothing if a buffer in use starts there. It may
  // take the lock of the class for a moment; where that cannot be had, it knows less of a buffer
  // that is free.
  [[nodiscard]] std::optional<Fault> fault_at(std::uintptr_t address, Fault::Call call) noexcept;

  // Returns if a buffer in use starts at `address`; the fault handler gets the fault otherwise.
  void require_in_use(std::uintptr_t address, Fault::Call call) noexcept;

  // Returns the bytes that may be written from `address` on, or 0 if no buffer in use starts there.
  // A mapping of somebody else's is the allocator's underneath, which tells its size.
  [[nodiscard]] std::size_t usable_size(std::uintptr_t address) noexcept;

 private:
  [[nodiscard]] std::optional<Fault> fault_in_block(Block block, Fault fault) noexcept;
  [[nodiscard]] bool is_idle(Block block, BlockState state, BlockPlace place) noexcept;
  [[nodiscard]] bool was_entry(Block block, std::uintptr_t address) const noexcept;
  [[nodiscard]] std::size_t usable_size_of(Block block, std::uintptr_t address) const noexcept;
  [[gnu::cold, noreturn]] void fail(const Fault& fault) noexcept;

  const BlockMarks& marks() const noexcept { return parts_.tables->marks(); }

  Parts parts_;
  FaultHandler on_fault_ = nullptr;
};

}  // namespace bufpool
