// SPDX-License-Identifier: MIT
// What an address in a class's chunks is, by the records of its spans.
#pragma once

#include <cstdint>

#include "pool/addresses/guard_line.h"
#include "pool/state/span_state.h"

namespace bufpool {

// The place of a block, by the record of its span.
enum class BlockPlace : std::uint8_t {
  kOut,      // handed out, or in a CPU's cache
  kUnused,   // free here, in a span that never went back to the kernel
  kFree,     // free here, in a span that once did
  kUnknown,  // the lock is refused
};

// Looks addresses up. Pre: the class is open, and each address lies in a chunk of its region. Any
// thread and any signal handler may call all functions.
class SpanLookup {
 public:
  // `state` is that of the class, and outlives this.
  explicit SpanLookup(SpanState& state) noexcept : state_(state) {}

  // Whether `block` is the start of a block in a span of which a block was handed out once. It
  // takes the lock, so that no run is dropped meanwhile. If the lock is refused, it looks without:
  // the fault of a pointer is to be told then, too.
  [[nodiscard]] bool is_block(Block block) noexcept BUFPOOL_EXCLUDES(state_.lock);

  // The block that holds `address`, whether it was ever carved or not. It returns 0 if no block can
  // be there. It takes no lock.
  [[nodiscard]] Block block_around(std::uintptr_t address) const noexcept;

  // Returns where a block is. It takes the lock. Pre: is_block(block).
  [[nodiscard]] BlockPlace place_of(Block block) noexcept BUFPOOL_EXCLUDES(state_.lock);

  // Returns where the mapped part of the run around `address` ends; 0 if there is no run. It takes
  // the lock as is_block() does.
  [[nodiscard]] std::uintptr_t mapped_end(std::uintptr_t address) noexcept
      BUFPOOL_EXCLUDES(state_.lock);

  // Whether a page of the class is mapped at `address`. It takes the lock as is_block() does.
  [[nodiscard]] bool maps(std::uintptr_t address) noexcept BUFPOOL_EXCLUDES(state_.lock) {
    return address < mapped_end(address);
  }

 private:
  SpanState& state_;
};

}  // namespace bufpool
