// SPDX-License-Identifier: MIT
// A pointer per chunk to what keeps its records, for the slow paths: a tree of two levels whose
// leaves are made when they are first needed and stay.
//
// Any thread may look up at any time. Only a chunk's owner sets its pointer.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "pool/memory/chunks.h"

namespace bufpool {

class ChunkIndex {
 public:
  // nullptr: nothing was set. `chunk`: its number in the range.
  [[nodiscard]] void* find(std::size_t chunk) const noexcept {
    if (chunk >= ChunkRange::kMostChunks) return nullptr;
    const Leaf* const leaf = leaves_[chunk / kLeaf].load(std::memory_order_acquire);
    return leaf == nullptr ? nullptr : (*leaf)[chunk % kLeaf].load(std::memory_order_acquire);
  }

  // False: no memory for the leaves; nothing changed. nullptr never fails where a pointer was set.
  // Pre: first + count <= ChunkRange::kMostChunks.
  [[nodiscard]] bool set(std::size_t first, std::size_t count, void* record) noexcept;

 private:
  static constexpr std::size_t kLeaf = 4096;
  using Leaf = std::array<std::atomic<void*>, kLeaf>;

  Leaf* leaf_for(std::size_t chunk) noexcept;

  std::array<std::atomic<Leaf*>, (ChunkRange::kMostChunks + kLeaf - 1) / kLeaf> leaves_{};
};

}  // namespace bufpool
