// SPDX-License-Identifier: MIT
// A pointer per chunk to the record that describes it, for the slow paths. It is a tree of two
// levels. A leaf is made when it is first needed, and stays.
//
// Synchronization: there is no lock. Any thread may look up at any time. Only the owner of a chunk
// sets its pointer.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/addresses/chunks.h"

namespace bufpool {

// Finds the record of a chunk by the number of the chunk in its range. A signal handler may call
// all functions.
class ChunkIndex {
 public:
  // The record that was set for a chunk, or nullptr if none was. Any number will do.
  [[nodiscard]] void* find(std::size_t chunk) const noexcept {
    if (chunk >= ChunkRange::kMostChunks) return nullptr;
    const Leaf* const leaf = leaves_[chunk / kLeaf].load(std::memory_order_acquire);
    return leaf == nullptr ? nullptr : (*leaf)[chunk % kLeaf].load(std::memory_order_acquire);
  }

  // Sets the record of `count` chunks from the number `first` on; nullptr forgets it. It returns
  // false if there is no memory for the leaves; nothing changed then. It never fails where a record
  // was set before. Pre: first + count <= ChunkRange::kMostChunks; the chunks are the caller's.
  [[nodiscard]] bool set(std::size_t first, std::size_t count, void* record) noexcept;

 private:
  static constexpr std::size_t kLeaf = 4096;
  using Leaf = std::array<std::atomic<void*>, kLeaf>;

  Leaf* leaf_for(std::size_t chunk) noexcept;

  std::array<std::atomic<Leaf*>, (ChunkRange::kMostChunks + kLeaf - 1) / kLeaf> leaves_{};
};

}  // namespace bufpool
