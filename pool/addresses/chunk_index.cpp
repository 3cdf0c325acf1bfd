// SPDX-License-Identifier: MIT
#include "pool/addresses/chunk_index.h"

#include "pool/platform/memory.h"

namespace bufpool {

// If two threads make the same leaf, the second is not needed.
ChunkIndex::Leaf* ChunkIndex::leaf_for(std::size_t chunk) noexcept {
  std::atomic<Leaf*>& place = leaves_[chunk / kLeaf];
  Leaf* leaf = place.load(std::memory_order_acquire);
  if (leaf != nullptr) return leaf;
  auto* const fresh = static_cast<Leaf*>(platform::map(sizeof(Leaf)));
  if (fresh == nullptr) return nullptr;
  if (place.compare_exchange_strong(leaf, fresh, std::memory_order_acq_rel)) return fresh;
  platform::unreserve(fresh, sizeof(Leaf));
  return leaf;
}

bool ChunkIndex::set(std::size_t first, std::size_t count, void* record) noexcept {
  for (std::size_t chunk = first; chunk < first + count; ++chunk) {
    if (leaf_for(chunk) == nullptr) return false;
  }
  for (std::size_t chunk = first; chunk < first + count; ++chunk) {
    (*leaf_for(chunk))[chunk % kLeaf].store(record, std::memory_order_release);
  }
  return true;
}

}  // namespace bufpool
