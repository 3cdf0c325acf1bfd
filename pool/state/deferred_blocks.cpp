// SPDX-License-Identifier: MIT
#include "pool/state/deferred_blocks.h"

namespace bufpool {

void DeferredBlocks::add(std::span<const Block> blocks, bool overflow) noexcept {
  for (std::size_t i = 1; i < blocks.size(); ++i) link(blocks[i - 1], blocks[i]);
  Block head = head_.load(std::memory_order_relaxed);
  do {
    link(blocks.back(), head);
  } while (!head_.compare_exchange_weak(head, blocks.front(), std::memory_order_release));
  overflows_.fetch_add(overflow, std::memory_order_relaxed);
  count_.fetch_add(blocks.size(), std::memory_order_relaxed);
}

}  // namespace bufpool
