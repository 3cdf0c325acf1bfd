// SPDX-License-Identifier: MIT
// Blocks that are out and of which only a part has pages: those that buffers grow in, and those
// that pages moved out of. Only if a span of the class is one block is it known which pages those
// are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/addresses/guard_line.h"
#include "pool/spans/block_taker.h"
#include "pool/spans/taken.h"
#include "pool/state/span_state.h"

namespace bufpool {

// Takes such blocks of one class, keeps their pages known and takes them back. Pre for
// take(), give(), give_emptied() and note_emptied(): a span of the class is one block.
class WideBlocks {
 public:
  // `state` is that of the class, and outlives this.
  explicit WideBlocks(SpanState& state) noexcept : state_(state) {}

  // Takes a block, of which only the first bytes are about to be used. It takes the lock, and maps
  // memory outside it if no block is free. It takes nothing if the class is not open.
  [[nodiscard]] Taken take(Block& block, const WideTake& wide) noexcept
      BUFPOOL_EXCLUDES(state_.lock);

  // Takes back a block of whose first bytes `used` may have been written. The pages of the block
  // that were empty before are empty still. It returns false if all of the block may have been
  // written; the block is still the caller's then, for a cache. It takes the lock. If the lock is
  // refused, the block is left to the next owner.
  [[nodiscard]] bool give(Block block, std::size_t used) noexcept BUFPOOL_EXCLUDES(state_.lock);

  // Takes back a block of whose first bytes `used` may have been written, and of which the whole
  // pages in [from, to) have no memory since. The other pages of the block that were empty before
  // are empty still. It takes the lock. If the lock is refused, the block is left to the next
  // owner.
  void give_emptied(Block block, std::size_t used, std::uintptr_t from, std::uintptr_t to) noexcept
      BUFPOOL_EXCLUDES(state_.lock);

  // Says that the pages in [from, to) of a block that is out have no memory any more. The block
  // must come back by give(). It takes the lock, and does nothing if the lock is refused.
  void note_emptied(Block block, std::uintptr_t from, std::uintptr_t to) noexcept
      BUFPOOL_EXCLUDES(state_.lock);

  // Is called before the addresses [start, end) of a block that is out are purged: the memory of a
  // huge page would else be kept. It takes no lock.
  void before_purge(Block block, std::uintptr_t start, std::uintptr_t end) noexcept;

  // Puts fresh pages in the place of whole pages of a block that is out, whatever the program has
  // made of them. It returns false if the kernel refuses, see platform::map_over(). It takes no
  // lock. Pre: [start, end) are whole pages of the block.
  [[nodiscard]] bool renew(Block block, std::uintptr_t start, std::uintptr_t end) noexcept;

  // Whether some of the pages in the run of a block that is out may be huge ones. It takes no lock.
  [[nodiscard]] bool has_huge_pages(Block block) const noexcept {
    return state_.run_at(block)->had_huge;
  }

 private:
  SpanState& state_;
};

}  // namespace bufpool
