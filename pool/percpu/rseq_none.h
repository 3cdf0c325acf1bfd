// SPDX-License-Identifier: MIT
// Fulfils the contract of rseq_x86_64.h for processors without tested sequences: every pop and push
// misses, so that every request takes the locked way.
#pragma once

#include <cstdint>

#include "pool/slabs/rseq_abi.h"
#include "pool/slabs/slab.h"

namespace bufpool {

// Says whether there are sequences for this processor.
inline constexpr bool kHaveSequences = false;

// Return kNoBlock, as if the stack were empty. They take no lock.
inline Block rseq_pop(RseqArea*, const SlabDistance*, std::uintptr_t, std::uint64_t) noexcept {
  return kNoBlock;
}
inline Block rseq_pop_uncounted(RseqArea*, const SlabDistance*, std::uintptr_t) noexcept {
  return kNoBlock;
}

// Return false, as if the stack were full. They take no lock.
inline bool rseq_push(RseqArea*, const SlabDistance*, std::uintptr_t, Block) noexcept {
  return false;
}
inline bool rseq_push_uncounted(RseqArea*, const SlabDistance*, std::uintptr_t, Block) noexcept {
  return false;
}

}  // namespace bufpool
